# Packages the project builds with. Each is looked for first, and fetched at a pinned version
# otherwise. The library itself needs only threads.

include(FetchContent)

find_package(Threads REQUIRED)

# Gives Catch2::Catch2WithMain and catch_discover_tests(), from Catch2 3 or 2.13.
macro(msgbus_need_catch2)
  find_package(Catch2 3 QUIET)
  if(NOT Catch2_FOUND)
    find_package(Catch2 2.13 QUIET)
  endif()
  # An installed Catch2 2 need not have its main compiled; then it is of no use here.
  if(TARGET Catch2::Catch2WithMain)
    message(STATUS "msgbus: Catch2 ${Catch2_VERSION} from ${Catch2_DIR}")
  else()
    message(STATUS "msgbus: no Catch2 found, fetching it")
    FetchContent_Declare(Catch2
      GIT_REPOSITORY https://github.com/catchorg/Catch2.git
      GIT_TAG v3.7.1
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(Catch2)
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
  endif()
  include(Catch)
endmacro()

# Gives Python3_EXECUTABLE, or leaves Python3_FOUND false. Only tests use it.
macro(msgbus_want_python)
  find_package(Python3 3.9 QUIET COMPONENTS Interpreter)
endmacro()
