#include "bare_awaitable.hpp"

MSGBUS_HANDLER(1)
