# What may be switched. Everything that is not the library is off in a project that embeds it.

option(MSGBUS_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(MSGBUS_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(MSGBUS_BUILD_BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(MSGBUS_BUILD_SNIPPETS
  "Build and run the code of the README and the guide, with the tests" ON)
option(MSGBUS_BUILD_FUZZERS "Build the fuzz targets (needs clang's libFuzzer)" OFF)
option(MSGBUS_MEMBARRIER
  "On Linux let writers fence for readers: dispatching is faster and cancelling slower" ON)
option(MSGBUS_WITH_ASYNC "Build the async family, which needs Asio" ON)
option(MSGBUS_WITH_NATS
  "Build the bridges to other processes and the NATS transport; needs nlohmann-json and nats.c" OFF)
include(msgbus_durable_default)
option(MSGBUS_WITH_DURABLE
  "Build messages that survive the process; needs SQLite, SQLiteCpp and nlohmann-json"
  ${msgbus_durable_default})
include(msgbus_otlp_default)
option(MSGBUS_WITH_OTLP "Build the exporter of spans by OTLP; needs cpp-httplib and nlohmann-json"
  ${msgbus_otlp_default})
option(MSGBUS_WITH_MONITOR
  "Build the page about a program that runs; needs the async family, cpp-httplib and nlohmann-json"
  ${msgbus_otlp_default})
if(NOT MSGBUS_WITH_ASYNC)
  set(MSGBUS_WITH_MONITOR OFF)
endif()
option(MSGBUS_BUILD_TOOLS "Build the programs for operators; needs CLI11" ${PROJECT_IS_TOP_LEVEL})
option(MSGBUS_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
option(MSGBUS_UNITY
  "Compile several files together: quicker where all are built, slower where one has changed" ON)
option(MSGBUS_WERROR "Treat warnings as errors" OFF)
set(MSGBUS_SANITIZE "" CACHE STRING "What to give -fsanitize, for instance address,undefined")

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(MSGBUS_CCACHE ccache)
    mark_as_advanced(MSGBUS_CCACHE)
    if(MSGBUS_CCACHE)
      set(CMAKE_CXX_COMPILER_LAUNCHER "${MSGBUS_CCACHE}")
    endif()
  endif()
endif()

if(MSGBUS_SANITIZE)
  add_compile_options(-fsanitize=${MSGBUS_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MSGBUS_SANITIZE})
  if(MSGBUS_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # g++ warns of every fence, also of those in other headers
  endif()
endif()
if(MSGBUS_BUILD_FUZZERS)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
