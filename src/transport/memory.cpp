#include <msgbus/transport/transport.hpp>

namespace msgbus::transport {}
