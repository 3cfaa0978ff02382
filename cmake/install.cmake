# cmake --install, the package that find_package(msgbus CONFIG) finds, and pkg-config files.
#
# Components: `runtime`, `nats`, `durable`, `otlp` and `monitor` hold shared libraries,
# `development` is what programs are built with, `tools` are programs for operators,
# `documentation` is what people read.
# Without --component, all of them are installed.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
include(pkg_config)

set(msgbus_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/msgbus")

set(msgbus_installed msgbus_sync msgbus)
if(MSGBUS_WITH_ASYNC)
  list(APPEND msgbus_installed msgbus_testing)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/msgbus_asio.cmake"
    DESTINATION ${msgbus_package_dir} COMPONENT development)
endif()

if(MSGBUS_WITH_NATS OR MSGBUS_WITH_DURABLE)
  list(APPEND msgbus_installed msgbus_bridge)
endif()
if(MSGBUS_WITH_NATS OR MSGBUS_WITH_DURABLE OR MSGBUS_WITH_OTLP OR MSGBUS_WITH_MONITOR)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/msgbus_json.cmake"
    DESTINATION ${msgbus_package_dir} COMPONENT development)
endif()
if(MSGBUS_WITH_OTLP)
  list(APPEND msgbus_installed msgbus_otlp)
endif()
if(MSGBUS_WITH_MONITOR)
  list(APPEND msgbus_installed msgbus_monitor)
endif()
if(MSGBUS_WITH_OTLP OR MSGBUS_WITH_MONITOR)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/msgbus_httplib.cmake"
    DESTINATION ${msgbus_package_dir} COMPONENT development)
endif()
if(MSGBUS_WITH_NATS)
  list(APPEND msgbus_installed msgbus_nats)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/msgbus_nats_client.cmake"
    DESTINATION ${msgbus_package_dir} COMPONENT development)
endif()
if(MSGBUS_WITH_DURABLE)
  list(APPEND msgbus_installed msgbus_durable)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/msgbus_sqlite.cmake"
    DESTINATION ${msgbus_package_dir} COMPONENT development)
endif()

foreach(target IN LISTS msgbus_installed)
  # A library that needs another package at run time is a component of its own.
  set(component runtime)
  if(target STREQUAL "msgbus_nats")
    set(component nats)
  elseif(target STREQUAL "msgbus_durable")
    set(component durable)
  elseif(target STREQUAL "msgbus_otlp")
    set(component otlp)
  elseif(target STREQUAL "msgbus_monitor")
    set(component monitor)
  endif()
  install(TARGETS ${target} EXPORT msgbusTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
      NAMELINK_COMPONENT development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  msgbus_install_pkg_config(${target})
endforeach()
foreach(program IN ITEMS msgbus-durable msgbus-top)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  endif()
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/msgbus"
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")
install(EXPORT msgbusTargets NAMESPACE msgbus:: DESTINATION ${msgbus_package_dir}
  COMPONENT development)

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/msgbusConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/msgbusConfig.cmake"
  INSTALL_DESTINATION ${msgbus_package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/msgbusConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/msgbusConfig.cmake"
  "${PROJECT_BINARY_DIR}/msgbusConfigVersion.cmake"
  DESTINATION ${msgbus_package_dir} COMPONENT development)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/msgbus" COMPONENT development)

install(FILES
  "${PROJECT_SOURCE_DIR}/ARCHITECTURE.md"
  "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  "${PROJECT_SOURCE_DIR}/README.md"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/msgbus" COMPONENT documentation)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" "${PROJECT_SOURCE_DIR}/examples"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/msgbus" COMPONENT documentation)
# Where tools/docs has built it.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/build/docs/site/"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/msgbus/html" COMPONENT documentation OPTIONAL)
