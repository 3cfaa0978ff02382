#include "bare_awaitable.hpp"

MSGBUS_TEN(MSGBUS_HANDLER)
