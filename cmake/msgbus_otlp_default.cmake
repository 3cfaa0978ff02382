# Sets msgbus_otlp_default: whether all is here that msgbus::otlp needs. What is missing is only
# fetched if MSGBUS_WITH_OTLP is switched on.

include(msgbus_httplib)
include(msgbus_json)
set(msgbus_otlp_default OFF)
if(TARGET msgbus::httplib AND TARGET msgbus::json)
  set(msgbus_otlp_default ON)
endif()
