# Finds nlohmann-json and gives the target msgbus::json; without it there is no such target. Used by
# the build and by the installed package.

# Makes the target for the headers in this folder.
function(msgbus_add_json include_dir)
  add_library(msgbus::json INTERFACE IMPORTED GLOBAL)
  set_target_properties(msgbus::json PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${include_dir}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${include_dir}")
endfunction()

if(NOT TARGET msgbus::json)
  find_package(nlohmann_json 3.9 QUIET)
  if(nlohmann_json_FOUND)
    add_library(msgbus::json INTERFACE IMPORTED GLOBAL)
    set_target_properties(msgbus::json PROPERTIES
      INTERFACE_LINK_LIBRARIES nlohmann_json::nlohmann_json)
  endif()
endif()
