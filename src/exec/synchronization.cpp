#include <msgbus/detail/exec/synchronization.hpp>

#include <cassert>

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

void wait_group::add(std::size_t tasks) noexcept {
  const std::lock_guard lock(mutex_);
  count_ += tasks;
}

void wait_group::done() noexcept {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  assert(count_ != 0 && "msgbus: done() is called once for each task that was added");
  if (--count_ == 0) waiting_.wake(wait_list::all, woken);
}

std::size_t wait_group::count() const noexcept {
  const std::lock_guard lock(mutex_);
  return count_;
}

asio::awaitable<void> wait_group::wait() { return waiting_.wait(&is_over, this, "wait group"); }

asio::awaitable<bool> wait_group::wait_for(clock::duration at_most) {
  return waiting_.wait_for(&is_over, this, at_most, "wait group");
}

}  // namespace msgbus::exec
