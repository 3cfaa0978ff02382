#include <msgbus/di/provider.hpp>

namespace msgbus {

provider::provider() : state_(std::make_shared<di::provider_state>()) {}

}  // namespace msgbus
