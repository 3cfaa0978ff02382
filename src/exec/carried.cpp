#include <msgbus/exec/carried.hpp>

namespace msgbus::exec {

carried_caused::carried_caused(shared_message there, const shared_origin& cause) noexcept
    : there_(std::move(there)), cause_(cause) {}

carried_caused::~carried_caused() = default;

std::shared_ptr<carried> carried_caused::share() {
  return std::make_shared<carried_caused>(there_->share(), cause_);
}

owned_message caused_by(owned_message made, const shared_origin& cause) {
  return std::make_unique<carried_caused>(std::move(made), cause);
}

shared_message caused_by(shared_message made, const shared_origin& cause) {
  return std::make_shared<carried_caused>(std::move(made), cause);
}

}  // namespace msgbus::exec
