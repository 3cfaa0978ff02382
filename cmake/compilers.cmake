# Which compilers build msgbus: said in one sentence, before one of them fails in a template.
# `cmake -DCMAKE_CXX_COMPILER_ID=... -DCMAKE_CXX_COMPILER_VERSION=... -P compilers.cmake` asks for
# one alone. The same numbers are in include/msgbus/detail/core/config.hpp.

set(msgbus_oldest_GNU 12)
set(msgbus_oldest_Clang 16)
set(msgbus_oldest_AppleClang 15)

set(msgbus_oldest "${msgbus_oldest_${CMAKE_CXX_COMPILER_ID}}")
if(msgbus_oldest AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS msgbus_oldest)
  message(FATAL_ERROR
    "msgbus needs g++ 12 or newer, or clang 16 or newer; this is ${CMAKE_CXX_COMPILER_ID} "
    "${CMAKE_CXX_COMPILER_VERSION}. On Debian 12: apt-get install g++, or clang-19; "
    "then cmake -DCMAKE_CXX_COMPILER=g++ in an empty build directory.")
endif()
