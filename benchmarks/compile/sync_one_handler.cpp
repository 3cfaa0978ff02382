#include "sync_handler.hpp"

MSGBUS_HANDLER(1)
