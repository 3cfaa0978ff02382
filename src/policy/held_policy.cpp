#include <msgbus/policy/held_policy.hpp>

#include <utility>

namespace msgbus::detail {

held_policy::held_policy(policy given)
    : timeout(given.timeout),
      retry(given.retry),
      is_plain_(given.is_plain()),
      has_executor_(static_cast<bool>(given.executor)) {
  if (link(given.executor)) executor_ = std::move(given.executor);
}

asio::any_io_executor held_policy::executor() const {
  const std::lock_guard lock(mutex_);
  return executor_;
}

void held_policy::context_ended() noexcept {
  asio::any_io_executor released;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  std::swap(released, executor_);
}

}  // namespace msgbus::detail
