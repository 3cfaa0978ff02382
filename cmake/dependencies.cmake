# Packages the project builds with. Each is looked for first, and fetched at a pinned version
# otherwise. The library itself needs only threads.

include(FetchContent)

find_package(Threads REQUIRED)

# Gives msgbus::asio: standalone Asio's headers, and what they must be told.
macro(msgbus_need_asio)
  include(msgbus_asio)
  if(TARGET msgbus::asio)
    message(STATUS "msgbus: Asio from ${MSGBUS_ASIO_INCLUDE_DIR}")
  elseif(msgbus_asio_is_old)
    message(FATAL_ERROR "${msgbus_asio_is_old}")
  else()
    message(STATUS "msgbus: no Asio found, fetching it")
    FetchContent_Declare(msgbus_asio_source
      GIT_REPOSITORY https://github.com/chriskohlhoff/asio.git
      GIT_TAG asio-1-30-2
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(msgbus_asio_source)
    msgbus_add_asio("${msgbus_asio_source_SOURCE_DIR}/asio/include")
  endif()
endmacro()

# Gives msgbus_concurrentqueue: moodycamel's queue. Only the library's own sources include it.
macro(msgbus_need_concurrentqueue)
  # Packagers put the header into different folders.
  find_path(MSGBUS_CONCURRENTQUEUE_DIR concurrentqueue.h
    PATH_SUFFIXES concurrentqueue moodycamel concurrentqueue/moodycamel)
  mark_as_advanced(MSGBUS_CONCURRENTQUEUE_DIR)
  add_library(msgbus_concurrentqueue INTERFACE)
  if(MSGBUS_CONCURRENTQUEUE_DIR)
    message(STATUS "msgbus: concurrentqueue from ${MSGBUS_CONCURRENTQUEUE_DIR}")
    target_include_directories(msgbus_concurrentqueue SYSTEM INTERFACE
      "${MSGBUS_CONCURRENTQUEUE_DIR}")
  else()
    message(STATUS "msgbus: no concurrentqueue found, fetching it")
    FetchContent_Declare(msgbus_concurrentqueue_source
      GIT_REPOSITORY https://github.com/cameron314/concurrentqueue.git
      GIT_TAG v1.0.4
      GIT_SHALLOW ON
      SOURCE_SUBDIR none)  # only its headers
    FetchContent_MakeAvailable(msgbus_concurrentqueue_source)
    target_include_directories(msgbus_concurrentqueue SYSTEM INTERFACE
      "${msgbus_concurrentqueue_source_SOURCE_DIR}")
  endif()
endmacro()

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

# Gives msgbus::json: nlohmann-json.
macro(msgbus_need_json)
  if(NOT TARGET msgbus::json)
    include(msgbus_json)
  endif()
  if(NOT TARGET msgbus::json)
    message(STATUS "msgbus: no nlohmann-json found, fetching it")
    FetchContent_Declare(msgbus_json_source
      GIT_REPOSITORY https://github.com/nlohmann/json.git
      GIT_TAG v3.11.3
      GIT_SHALLOW ON
      SOURCE_SUBDIR none)  # only its headers
    FetchContent_MakeAvailable(msgbus_json_source)
    msgbus_add_json("${msgbus_json_source_SOURCE_DIR}/single_include")
  endif()
endmacro()

# Gives msgbus::httplib: cpp-httplib. Only the library's own sources include it.
macro(msgbus_need_httplib)
  include(msgbus_httplib)
  if(NOT TARGET msgbus::httplib)
    message(STATUS "msgbus: no cpp-httplib found, fetching it")
    FetchContent_Declare(msgbus_httplib_source
      GIT_REPOSITORY https://github.com/yhirose/cpp-httplib.git
      GIT_TAG v0.18.1
      GIT_SHALLOW ON
      SOURCE_SUBDIR none)  # only its header
    FetchContent_MakeAvailable(msgbus_httplib_source)
    add_library(msgbus::httplib INTERFACE IMPORTED GLOBAL)
    set_target_properties(msgbus::httplib PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES "${msgbus_httplib_source_SOURCE_DIR}"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${msgbus_httplib_source_SOURCE_DIR}")
  endif()
endmacro()

# Gives msgbus::sqlite: SQLite and SQLiteCpp. Only the library's own sources include them.
macro(msgbus_need_sqlite)
  include(msgbus_sqlite)
  if(NOT TARGET msgbus::sqlite)
    message(STATUS "msgbus: no SQLiteCpp found, fetching it")
    find_package(SQLite3 3.35 QUIET)
    set(SQLITECPP_INTERNAL_SQLITE ON)  # where there is no SQLite, the wrapper's own
    if(SQLite3_FOUND)
      set(SQLITECPP_INTERNAL_SQLITE OFF)
    endif()
    set(SQLITECPP_RUN_CPPLINT OFF CACHE BOOL "")
    set(SQLITECPP_RUN_CPPCHECK OFF CACHE BOOL "")
    FetchContent_Declare(msgbus_sqlite_source
      GIT_REPOSITORY https://github.com/SRombauts/SQLiteCpp.git
      GIT_TAG 3.3.2
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(msgbus_sqlite_source)
    if(NOT TARGET SQLite::SQLite3)
      add_library(SQLite::SQLite3 ALIAS sqlite3)
    endif()
    msgbus_add_sqlite()
  endif()
endmacro()

# Gives msgbus::nats_client: NATS's C client. Only the library's own sources include it.
macro(msgbus_need_nats)
  include(msgbus_nats_client)
  if(NOT TARGET msgbus::nats_client)
    message(STATUS "msgbus: no NATS client found, fetching it")
    set(NATS_BUILD_STREAMING OFF CACHE BOOL "")
    set(NATS_BUILD_EXAMPLES OFF CACHE BOOL "")
    set(NATS_BUILD_LIB_SHARED OFF CACHE BOOL "")
    FetchContent_Declare(msgbus_nats_source
      GIT_REPOSITORY https://github.com/nats-io/nats.c.git
      GIT_TAG v3.13.0  # at least 3.11.0: docs/design/0012
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(msgbus_nats_source)
    # Its headers are nats/nats.h and so on only where it is installed.
    set(MSGBUS_NATS_HEADERS "${CMAKE_CURRENT_BINARY_DIR}/nats_headers")
    file(COPY "${msgbus_nats_source_SOURCE_DIR}/src/" DESTINATION "${MSGBUS_NATS_HEADERS}/nats"
      FILES_MATCHING PATTERN "*.h" PATTERN adapters EXCLUDE PATTERN glib EXCLUDE
      PATTERN include EXCLUDE PATTERN stan EXCLUDE)
    add_library(msgbus::nats_client INTERFACE IMPORTED GLOBAL)
    set_target_properties(msgbus::nats_client PROPERTIES
      INTERFACE_LINK_LIBRARIES nats_static
      INTERFACE_INCLUDE_DIRECTORIES "${MSGBUS_NATS_HEADERS}"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${MSGBUS_NATS_HEADERS}")
  endif()
endmacro()

# Gives msgbus::curses: ncurses with wide characters; no such target where it is not installed.
macro(msgbus_want_curses)
  if(NOT TARGET msgbus::curses)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      pkg_check_modules(msgbus_curses_found QUIET IMPORTED_TARGET GLOBAL ncursesw)
      if(TARGET PkgConfig::msgbus_curses_found)
        add_library(msgbus::curses INTERFACE IMPORTED GLOBAL)
        set_target_properties(msgbus::curses PROPERTIES
          INTERFACE_LINK_LIBRARIES PkgConfig::msgbus_curses_found)
      endif()
    endif()
  endif()
endmacro()
