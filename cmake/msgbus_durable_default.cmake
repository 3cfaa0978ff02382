# Sets msgbus_durable_default: whether all is here that msgbus::durable needs. What is missing is
# only fetched if MSGBUS_WITH_DURABLE is switched on.

include(msgbus_sqlite)
include(msgbus_json)
set(msgbus_durable_default OFF)
if(TARGET msgbus::sqlite AND TARGET msgbus::json AND MSGBUS_WITH_ASYNC)
  set(msgbus_durable_default ON)
endif()
