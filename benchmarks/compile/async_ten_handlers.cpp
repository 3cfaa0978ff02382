#include "async_handler.hpp"

MSGBUS_TEN(MSGBUS_HANDLER)
