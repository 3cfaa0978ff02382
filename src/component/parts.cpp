#include <msgbus/detail/component/parts.hpp>

#include <utility>

namespace msgbus::component {

std::unique_ptr<parts::share> parts::share_of(std::shared_ptr<provider> given) {
  return given ? std::unique_ptr<share>(new share{std::move(given)}) : nullptr;
}

const di::provider_state& parts::state_of(const share* overrides) {
  static const di::provider_state none;
  return overrides ? overrides->of->state() : none;
}

parts::parts(std::shared_ptr<provider> given)
    : overrides_(share_of(std::move(given))), state_(&state_of(overrides_.get())) {}

provider& parts::overrides() {
  provider& mine = *overrides_.made().of;
  state_.store(&mine.state(), std::memory_order_release);  // all threads store the same pointer
  return mine;
}

}  // namespace msgbus::component
