# Finds standalone Asio and gives the target msgbus::asio; without Asio, or with one that is too
# old, there is no such target. Packagers ship no CMake files for it. Used by the build and by the
# installed package.

# Sets `result` to a sentence if the headers in this folder are too old, else to nothing. The same
# number is in include/msgbus/detail/exec/requirements.hpp.
function(msgbus_asio_fault include_dir result)
  set(${result} "" PARENT_SCOPE)
  file(STRINGS "${include_dir}/asio/version.hpp" line REGEX "define ASIO_VERSION [0-9]+")
  if(line MATCHES "ASIO_VERSION ([0-9]+)" AND CMAKE_MATCH_1 LESS 102200)
    math(EXPR major "${CMAKE_MATCH_1} / 100000")
    math(EXPR minor "${CMAKE_MATCH_1} / 100 % 1000")
    set(${result} "msgbus needs Asio 1.22 or newer; in ${include_dir} is ${major}.${minor}. On \
Debian 12: apt-get install libasio-dev; elsewhere: https://think-async.com/Asio, and \
-DMSGBUS_ASIO_INCLUDE_DIR=<its include directory>." PARENT_SCOPE)
  endif()
endfunction()

# Makes the target for Asio's headers in this folder. It defines what has to be the same in every
# file of a program that includes Asio, since inline functions and types depend on it, and nothing
# else:
# - ASIO_STANDALONE: errors and durations are those of std, not of Boost.
# - ASIO_HAS_CO_AWAIT, ASIO_HAS_STD_COROUTINE: with clang, Asio before 1.28 has no coroutines
#   without them, and msgbus's headers are made of those. Later versions know by themselves.
# - ASIO_DISABLE_STD_ALIGNED_ALLOC: whether Asio 1.22 uses std::aligned_alloc depends on the headers
#   before it, and then one file frees in the wrong way what another one has allocated.
# Not ASIO_NO_DEPRECATED, which takes functions away from the user's own code. As it changes inline
# functions too (1.22: asio_handler_allocate), no file of the library has it either; the preset
# `clang` builds everything with it, which shows that nothing here uses what it takes away.
function(msgbus_add_asio include_dir)
  add_library(msgbus::asio INTERFACE IMPORTED GLOBAL)
  set_target_properties(msgbus::asio PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${include_dir}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${include_dir}")
  target_compile_definitions(msgbus::asio INTERFACE
    ASIO_STANDALONE ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE ASIO_DISABLE_STD_ALIGNED_ALLOC)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)  # asked for the fault alone
  msgbus_asio_fault("${MSGBUS_ASIO_INCLUDE_DIR}" msgbus_asio_is_old)
  if(msgbus_asio_is_old)
    message(FATAL_ERROR "${msgbus_asio_is_old}")
  endif()
elseif(NOT TARGET msgbus::asio)
  find_path(MSGBUS_ASIO_INCLUDE_DIR asio/awaitable.hpp)
  mark_as_advanced(MSGBUS_ASIO_INCLUDE_DIR)
  set(msgbus_asio_is_old "")
  if(MSGBUS_ASIO_INCLUDE_DIR)
    msgbus_asio_fault("${MSGBUS_ASIO_INCLUDE_DIR}" msgbus_asio_is_old)
    if(NOT msgbus_asio_is_old)
      msgbus_add_asio("${MSGBUS_ASIO_INCLUDE_DIR}")
    endif()
  endif()
endif()
