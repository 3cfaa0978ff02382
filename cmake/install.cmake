# cmake --install, and the package that find_package(msgbus CONFIG) finds.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(msgbus_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/msgbus")

set(msgbus_installed msgbus_sync msgbus)
if(MSGBUS_WITH_ASYNC)
  list(APPEND msgbus_installed msgbus_testing)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/msgbus_asio.cmake"
    DESTINATION ${msgbus_package_dir})
endif()

if(MSGBUS_WITH_NATS)
  list(APPEND msgbus_installed msgbus_bridge msgbus_nats)
  install(FILES
    "${PROJECT_SOURCE_DIR}/cmake/msgbus_json.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/msgbus_nats_client.cmake"
    DESTINATION ${msgbus_package_dir})
endif()

install(TARGETS ${msgbus_installed} EXPORT msgbusTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/msgbus"
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(EXPORT msgbusTargets NAMESPACE msgbus:: DESTINATION ${msgbus_package_dir})

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/msgbusConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/msgbusConfig.cmake"
  INSTALL_DESTINATION ${msgbus_package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/msgbusConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/msgbusConfig.cmake"
  "${PROJECT_BINARY_DIR}/msgbusConfigVersion.cmake"
  DESTINATION ${msgbus_package_dir})
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/msgbus")
