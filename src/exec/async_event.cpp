#include <msgbus/exec/async_event.hpp>

namespace msgbus::exec {

void async_event::set() noexcept {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  set_ = true;
  waiting_.wake(wait_list::all, woken);
}

void async_event::reset() noexcept {
  const std::lock_guard lock(mutex_);
  set_ = false;
}

bool async_event::is_set() const noexcept {
  const std::lock_guard lock(mutex_);
  return set_;
}

asio::awaitable<void> async_event::wait() {
  const auto is_over = [](void* self, bool woken) {
    return woken || static_cast<async_event*>(self)->set_;
  };
  return waiting_.wait(is_over, this, "event");
}

}  // namespace msgbus::exec
