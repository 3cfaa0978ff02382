#include "bare_function.hpp"

MSGBUS_TEN(MSGBUS_HANDLER)
