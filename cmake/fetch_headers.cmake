# msgbus_fetch_headers(<target> [<header> <url> <sha256>]...): the target for a library that is a
# header or two, fetched. There is no such target if they cannot be had.
function(msgbus_fetch_headers target)
  set(include_dir "${PROJECT_BINARY_DIR}/${target}_include")
  while(ARGN)
    list(POP_FRONT ARGN header url hash)
    if(NOT EXISTS "${include_dir}/${header}")
      message(STATUS "msgbus: no ${header} found, fetching it")
      file(DOWNLOAD ${url} "${include_dir}/${header}"
        INACTIVITY_TIMEOUT 20 STATUS ignored)  # what came is checked below
    endif()
    file(SHA256 "${include_dir}/${header}" found)
    if(NOT found STREQUAL hash)
      file(REMOVE "${include_dir}/${header}")
      return()
    endif()
  endwhile()
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE "${include_dir}")
endfunction()

# Gives msgbus_cli11, which reads command lines; no such target if it cannot be had.
macro(msgbus_need_cli11)
  if(NOT TARGET msgbus_cli11)
    find_package(CLI11 2.1 QUIET)
    if(CLI11_FOUND)
      message(STATUS "msgbus: CLI11 ${CLI11_VERSION} from ${CLI11_DIR}")
      add_library(msgbus_cli11 INTERFACE)
      target_link_libraries(msgbus_cli11 INTERFACE CLI11::CLI11)
    else()
      msgbus_fetch_headers(msgbus_cli11 CLI/CLI.hpp
        https://github.com/CLIUtils/CLI11/releases/download/v2.3.2/CLI11.hpp
        ba83806399a66634ca8f8d292df031e5ed651315ceb9a6a09ba56f88d75f1797)
    endif()
  endif()
endmacro()
