# Uses msgbus from tests/consume/project in one of two ways. Called by ctest.
#
# installed: every component is found, linked with what has been installed, and run.
# subdirectory: every component is configured; the sync library and the async one are built as part
# of the project, linked and run. The others are not built a second time.
#
# Either way a project that uses sync alone can be configured where no Asio can be found.

cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result)
  if(NOT result STREQUAL "0")
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "failed (${result}): ${command}")
  endif()
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}/empty")

set(components sync)
if(WITH_ASYNC)
  list(APPEND components msgbus testing)
endif()
if(WITH_NATS)
  list(APPEND components bridge nats)
endif()
if(WITH_MONITOR)
  list(APPEND components monitor)
endif()

if(WAY STREQUAL "installed")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/prefix")
  set(where "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix")
else()
  set(where "-DMSGBUS_SOURCE_DIR=${SOURCE}")
endif()

# configure(<folder> <components> <options>...)
function(configure folder components)
  string(REPLACE ";" "\\;" components "${components}")
  string(REPLACE ";" "\\;" warnings "${WARNINGS}")
  run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${SCRATCH}/${folder}"
    -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}"
    "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
    "-DCMAKE_CXX_FLAGS=${FLAGS}"
    "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}"
    "-DCMAKE_CXX_FLAGS_DEBUG=-O0"  # only whether it can be built is asked
    "-DEXPECTED_VERSION=${EXPECTED_VERSION}"
    "-DCOMPONENTS=${components}"
    "-DWARNINGS=${warnings}"
    "${where}" ${ARGN})
endfunction()

# Headers are looked for in an empty folder only, so there is no Asio.
configure(sync_alone sync
  "-DCMAKE_FIND_ROOT_PATH=${SCRATCH}/empty" -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY)
configure(build "${components}")

if(WAY STREQUAL "subdirectory")
  set(programs sync msgbus)
else()
  set(programs sync msgbus testing nats monitor)
endif()
set(targets)
foreach(component IN LISTS programs)
  if(component IN_LIST components)
    list(APPEND targets uses_${component})
  endif()
endforeach()
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build" --parallel 2 --target ${targets})
foreach(target IN LISTS targets)
  run("${SCRATCH}/build/${target}")
endforeach()
