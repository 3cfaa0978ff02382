# Builds tests/consume/project in one of two ways, and runs it. Called by ctest.

cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result)
  if(NOT result STREQUAL "0")
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "failed (${result}): ${command}")
  endif()
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")

if(WAY STREQUAL "installed")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/prefix")
  set(where "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix")
else()
  set(where "-DMSGBUS_SOURCE_DIR=${SOURCE}")
endif()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${SCRATCH}/build"
  -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}"
  "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
  "-DCMAKE_CXX_FLAGS=${FLAGS}"
  "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}"
  "-DCMAKE_CXX_FLAGS_DEBUG=-O0"  # only whether it can be built is asked
  "-DMSGBUS_UNITY=ON"
  "-DEXPECTED_VERSION=${EXPECTED_VERSION}"
  "-DWITH_NATS=${WITH_NATS}"
  "${where}")
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build" --parallel 2)
run("${SCRATCH}/build/first_program_sync")
run("${SCRATCH}/build/first_program_all")
run("${SCRATCH}/build/async")
if(WITH_NATS)
  run("${SCRATCH}/build/distributed")
endif()
