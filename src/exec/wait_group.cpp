#include <msgbus/exec/wait_group.hpp>

#include <cassert>

namespace msgbus::exec {

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
