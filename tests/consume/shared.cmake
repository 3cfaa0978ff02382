# Builds msgbus as shared libraries, as a distribution would, for the tests that use them. Called by
# ctest. What is there from the last time is used again.

cmake_minimum_required(VERSION 3.22)

execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BUILD}" -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}"
  "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
  "-DCMAKE_CXX_FLAGS=${FLAGS}"
  -DCMAKE_BUILD_TYPE=Debug
  -DCMAKE_CXX_FLAGS_DEBUG=-O0  # only whether it can be built is asked
  -DCMAKE_INSTALL_PREFIX=/usr
  "-DCMAKE_INSTALL_LIBDIR=${LIBDIR}"
  -DBUILD_SHARED_LIBS=ON
  -DMSGBUS_BUILD_TESTS=OFF
  -DMSGBUS_BUILD_EXAMPLES=OFF
  -DMSGBUS_BUILD_BENCHMARKS=OFF
  "-DMSGBUS_WITH_ASYNC=${WITH_ASYNC}"
  "-DMSGBUS_WITH_NATS=${WITH_NATS}"
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD}" --parallel 2
  COMMAND_ERROR_IS_FATAL ANY)
