#include <msgbus/detail/component/component_state.hpp>

#include <utility>

namespace msgbus::component {

std::unique_ptr<component_state::share> component_state::share_of(std::shared_ptr<provider> given) {
  return given ? std::unique_ptr<share>(new share{std::move(given)}) : nullptr;
}

const di::provider_state& component_state::state_of(const share* overrides) {
  static const di::provider_state none;
  return overrides ? overrides->of->state() : none;
}

component_state::component_state(std::shared_ptr<provider> given)
    : overrides_(share_of(std::move(given))), state_(&state_of(overrides_.get())) {}

provider& component_state::overrides() {
  provider& mine = *overrides_.made().of;
  state_.store(&mine.state(), std::memory_order_release);  // all threads store the same pointer
  return mine;
}

}  // namespace msgbus::component
