# Finds NATS's C client and gives the target msgbus::nats_client; without it there is no such
# target. Not by its CMake package: the one that some packagers ship stops the whole configuration
# if a file of it is missing. Used by the build and by the installed package.

if(NOT TARGET msgbus::nats_client)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(MSGBUS_NATS_CLIENT QUIET IMPORTED_TARGET GLOBAL libnats)
  endif()
  if(TARGET PkgConfig::MSGBUS_NATS_CLIENT)
    add_library(msgbus::nats_client INTERFACE IMPORTED GLOBAL)
    set_target_properties(msgbus::nats_client PROPERTIES
      INTERFACE_LINK_LIBRARIES PkgConfig::MSGBUS_NATS_CLIENT)
  else()
    find_path(MSGBUS_NATS_INCLUDE_DIR nats/nats.h)
    find_library(MSGBUS_NATS_LIBRARY NAMES nats nats_static)
    mark_as_advanced(MSGBUS_NATS_INCLUDE_DIR MSGBUS_NATS_LIBRARY)
    if(MSGBUS_NATS_INCLUDE_DIR AND MSGBUS_NATS_LIBRARY)
      add_library(msgbus::nats_client UNKNOWN IMPORTED GLOBAL)
      set_target_properties(msgbus::nats_client PROPERTIES
        IMPORTED_LOCATION "${MSGBUS_NATS_LIBRARY}"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${MSGBUS_NATS_INCLUDE_DIR}"
        INTERFACE_INCLUDE_DIRECTORIES "${MSGBUS_NATS_INCLUDE_DIR}")
    endif()
  endif()
endif()
