#include <msgbus/version.hpp>

namespace msgbus {

int version() noexcept { return MSGBUS_VERSION; }

const char* version_string() noexcept { return MSGBUS_VERSION_STRING; }

}  // namespace msgbus
