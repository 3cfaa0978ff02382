#include <msgbus/exec/async_semaphore.hpp>

namespace msgbus::exec {

bool async_semaphore::take_locked(bool promised) noexcept {
  if (!promised && permits_ == waiting_.woken()) return false;
  --permits_;
  return true;
}

asio::awaitable<void> async_semaphore::acquire() {
  const auto take = [](void* self, bool woken) {
    return static_cast<async_semaphore*>(self)->take_locked(woken);
  };
  return waiting_.wait(take, this, "semaphore");
}

bool async_semaphore::try_acquire() noexcept {
  const std::lock_guard lock(mutex_);
  return take_locked(false);
}

void async_semaphore::release(std::size_t permits) noexcept {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  permits_ += permits;
  waiting_.wake(permits, woken);
}

std::size_t async_semaphore::available() const noexcept {
  const std::lock_guard lock(mutex_);
  return permits_ - waiting_.woken();
}

}  // namespace msgbus::exec
