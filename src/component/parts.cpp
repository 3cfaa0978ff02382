#include <msgbus/component/parts.hpp>

#include <msgbus/di/provider.hpp>

namespace msgbus::component {

parts::parts(std::shared_ptr<provider> given)
    : overrides(given ? std::move(given) : std::make_shared<provider>()),
      overrides_state(overrides->state()) {}

}  // namespace msgbus::component
