#include <msgbus/transport/nats.hpp>

namespace msgbus::nats {}
