# Finds cpp-httplib and gives the target msgbus::httplib; without it there is no such target. Used
# by the build and by the installed package.

# Makes the target from what another one needs.
function(msgbus_add_httplib)
  add_library(msgbus::httplib INTERFACE IMPORTED GLOBAL)
  set_target_properties(msgbus::httplib PROPERTIES INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

if(NOT TARGET msgbus::httplib)
  find_package(httplib 0.11 CONFIG QUIET)
  if(TARGET httplib::httplib)
    msgbus_add_httplib(httplib::httplib)
  else()
    find_package(PkgConfig QUIET)  # all that Debian's package has
    if(PkgConfig_FOUND)
      pkg_check_modules(msgbus_httplib_found QUIET IMPORTED_TARGET GLOBAL cpp-httplib>=0.11)
      if(TARGET PkgConfig::msgbus_httplib_found)
        msgbus_add_httplib(PkgConfig::msgbus_httplib_found)
      endif()
    endif()
  endif()
endif()
