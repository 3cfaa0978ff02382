#include "bare_function.hpp"

MSGBUS_HANDLER(1)
