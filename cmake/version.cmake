# Stops if the version in the headers is not the project's.

set(msgbus_version_header "${PROJECT_SOURCE_DIR}/include/msgbus/version.hpp")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${msgbus_version_header}")
math(EXPR msgbus_version_number "${PROJECT_VERSION_MAJOR} * 100000 \
+ ${PROJECT_VERSION_MINOR} * 100 + ${PROJECT_VERSION_PATCH}")
file(STRINGS "${msgbus_version_header}" msgbus_version_lines REGEX "^#define MSGBUS_VERSION")
if(NOT msgbus_version_lines STREQUAL "#define MSGBUS_VERSION ${msgbus_version_number};\
#define MSGBUS_VERSION_STRING \"${PROJECT_VERSION}\"")
  message(FATAL_ERROR "The project's version is ${PROJECT_VERSION}, so ${msgbus_version_header} \
must define MSGBUS_VERSION as ${msgbus_version_number} and MSGBUS_VERSION_STRING as \
\"${PROJECT_VERSION}\". It has: ${msgbus_version_lines}")
endif()
