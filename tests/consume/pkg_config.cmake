# Builds the programs of tests/consume/project with nothing but a compiler and pkg-config, and runs
# them. Called by ctest. BUILD is a build of msgbus that has been built; SHARED says which form its
# libraries have.

cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/built"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${SCRATCH}/built" "${SCRATCH}/prefix")  # the files know no other place than their own

set(ENV{PKG_CONFIG_PATH} "${SCRATCH}/prefix/${LIBDIR}/pkgconfig")
set(ENV{LD_LIBRARY_PATH} "${SCRATCH}/prefix/${LIBDIR}")

function(pkg_config result)
  execute_process(COMMAND "${PKG_CONFIG}" ${ARGN}
    OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${output}" PARENT_SCOPE)
endfunction()

foreach(package IN LISTS PACKAGES)
  pkg_config(version --modversion ${package})
  if(NOT version STREQUAL EXPECTED_VERSION)
    message(FATAL_ERROR "${package} says that it is ${version}, not ${EXPECTED_VERSION}")
  endif()
  pkg_config(flags --cflags --libs ${package})
  if(SHARED AND flags MATCHES "-lnats")
    message(FATAL_ERROR "${package} links what only a static library needs: ${flags}")
  endif()
  if(package STREQUAL "msgbus-sync" AND flags MATCHES "ASIO")
    message(FATAL_ERROR "${package} speaks of Asio: ${flags}")
  endif()

  string(REGEX REPLACE "^msgbus-" "" program ${package})
  if(NOT EXISTS "${CMAKE_CURRENT_LIST_DIR}/project/${program}.cpp")
    continue()  # the program of another package uses this one
  endif()
  separate_arguments(arguments UNIX_COMMAND "${COMPILER} -std=c++20 ${FLAGS} \
${CMAKE_CURRENT_LIST_DIR}/project/${program}.cpp -o ${SCRATCH}/${program} ${flags}")
  message(STATUS "${arguments}")
  execute_process(COMMAND ${arguments} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${SCRATCH}/${program}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
