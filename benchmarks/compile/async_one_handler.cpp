#include "async_handler.hpp"

MSGBUS_HANDLER(1)
