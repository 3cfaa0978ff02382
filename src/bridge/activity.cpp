#include <msgbus/bridge/detail/activity.hpp>

#include <msgbus/exec/timer.hpp>

#include <asio/cancellation_type.hpp>
#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::bridging {

std::size_t activity::under_way() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void activity::begin() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void activity::end() noexcept {
  const std::lock_guard lock(mutex_);
  if (--count_ != 0) return;
  for (const auto& each : waiting_) {
    if (const auto there = each.lock()) there->over.wake();
  }
  waiting_.clear();
}

asio::awaitable<bool> activity::rest(std::shared_ptr<activity> self,
                                     std::chrono::steady_clock::duration at_most) {
  auto until = std::make_shared<pause>();
  {
    const std::lock_guard lock(self->mutex_);
    if (self->count_ == 0) co_return true;
    self->waiting_.push_back(until);
  }
  exec::timer clock(co_await asio::this_coro::executor);
  clock.start(at_most, [until] { until->over.wake(); });
  co_await until->over.wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw asio::system_error(asio::error::operation_aborted, "drain");
  }
  co_return self->under_way() == 0;
}

}  // namespace msgbus::bridging
