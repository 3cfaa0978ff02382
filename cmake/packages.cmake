# Debian packages: `cpack -G DEB` in a build directory, of shared libraries (BUILD_SHARED_LIBS) with
# the prefix /usr: the preset `package`. They are made from the components of cmake/install.cmake:
#
#   libmsgbus0.1       the libraries; the number is the one of their names (SOVERSION)
#   libmsgbus-nats0.1  the one library that needs NATS's C client
#   libmsgbus-durable0.1  the one library that needs SQLite
#   libmsgbus-otlp0.1  spans for a collector, which needs cpp-httplib
#   libmsgbus-monitor0.1  a page about a program that runs, which needs it too
#   msgbus-tools       programs for operators
#   libmsgbus-dev      headers, CMake and pkg-config files
#   libmsgbus-doc      the guide, the design notes and the examples

set(version "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME msgbus)
set(CPACK_PACKAGE_VENDOR "The msgbus authors")
set(CPACK_PACKAGE_CONTACT "The msgbus authors <msgbus@localhost>" CACHE STRING
  "The maintainer whom packages name")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 2)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENTS_ALL development documentation)

# msgbus_deb(<component> <package> <section> <what it is>)
function(msgbus_deb component package section summary)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${PROJECT_DESCRIPTION}\n${summary}" PARENT_SCOPE)
  # Debian wants the terms in a folder of each package's own.
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" RENAME copyright
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}" COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

msgbus_deb(development libmsgbus-dev libdevel "Headers, CMake and pkg-config files.")
msgbus_deb(documentation libmsgbus-doc doc "The guide, the design notes and the examples.")
set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_ARCHITECTURE all)

set(depends)
if(BUILD_SHARED_LIBS)
  msgbus_deb(runtime libmsgbus${version} libs "The libraries.")
  list(APPEND CPACK_COMPONENTS_ALL runtime)
  list(APPEND depends "libmsgbus${version} (= ${PROJECT_VERSION})")
  if(MSGBUS_WITH_NATS)
    msgbus_deb(nats libmsgbus-nats${version} libs "The NATS transport.")
    list(APPEND CPACK_COMPONENTS_ALL nats)
    list(APPEND depends "libmsgbus-nats${version} (= ${PROJECT_VERSION})")
    set(CPACK_DEBIAN_NATS_PACKAGE_DEPENDS "libmsgbus${version} (= ${PROJECT_VERSION})")
  endif()
  if(MSGBUS_WITH_DURABLE)
    msgbus_deb(durable libmsgbus-durable${version} libs "Messages that survive the process.")
    list(APPEND CPACK_COMPONENTS_ALL durable)
    list(APPEND depends "libmsgbus-durable${version} (= ${PROJECT_VERSION})")
    set(CPACK_DEBIAN_DURABLE_PACKAGE_DEPENDS "libmsgbus${version} (= ${PROJECT_VERSION})")
  endif()
  if(MSGBUS_WITH_OTLP)
    msgbus_deb(otlp libmsgbus-otlp${version} libs "Spans for a collector of OpenTelemetry.")
    list(APPEND CPACK_COMPONENTS_ALL otlp)
    list(APPEND depends "libmsgbus-otlp${version} (= ${PROJECT_VERSION})")
    set(CPACK_DEBIAN_OTLP_PACKAGE_DEPENDS "libmsgbus${version} (= ${PROJECT_VERSION})")
  endif()
  if(MSGBUS_WITH_MONITOR)
    msgbus_deb(monitor libmsgbus-monitor${version} libs "A page about a program that runs.")
    list(APPEND CPACK_COMPONENTS_ALL monitor)
    list(APPEND depends "libmsgbus-monitor${version} (= ${PROJECT_VERSION})")
    set(CPACK_DEBIAN_MONITOR_PACKAGE_DEPENDS "libmsgbus${version} (= ${PROJECT_VERSION})")
  endif()
  if(TARGET msgbus-durable OR TARGET msgbus-top)
    msgbus_deb(tools msgbus-tools utils "Programs for operators.")
    list(APPEND CPACK_COMPONENTS_ALL tools)
    set(needed "libmsgbus${version} (= ${PROJECT_VERSION})")
    if(TARGET msgbus-durable)
      string(APPEND needed ", libmsgbus-durable${version} (= ${PROJECT_VERSION})")
    endif()
    set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${needed}")
  endif()
  # The packages that the libraries and programs need are read from them.
  foreach(component IN ITEMS RUNTIME NATS DURABLE OTLP MONITOR TOOLS)
    set(CPACK_DEBIAN_${component}_PACKAGE_SHLIBDEPS ON)
  endforeach()
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR}/src")
elseif(MSGBUS_WITH_NATS)
  list(APPEND depends libnats-dev)  # a static library's user links it
endif()
if(MSGBUS_WITH_ASYNC)
  list(APPEND depends "libasio-dev (>= 1:1.22)")
endif()
if(MSGBUS_WITH_NATS OR MSGBUS_WITH_DURABLE OR MSGBUS_WITH_OTLP OR MSGBUS_WITH_MONITOR)
  list(APPEND depends "nlohmann-json3-dev (>= 3.9)")
endif()
if(MSGBUS_WITH_DURABLE)
  list(APPEND depends "libsqlitecpp-dev" "libsqlite3-dev")
endif()
if(MSGBUS_WITH_OTLP OR MSGBUS_WITH_MONITOR)
  list(APPEND depends "libcpp-httplib-dev")
endif()
list(JOIN depends ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)

include(CPack)
