#include "reply_table.hpp"

#include <msgbus/detail/exec/cancellation.hpp>

#include <utility>

namespace msgbus::nats {

void reply_promise::give(answer&& reply) noexcept {
  if (taken_.exchange(true, std::memory_order_acq_rel)) return;
  answer_ = std::move(reply);
  given_.store(true, std::memory_order_release);
  one_shot_event::set();
}

asio::awaitable<answer> reply_promise::wait(std::shared_ptr<reply_promise> on, deadline until) {
  // The timer's wait keeps the promise.
  on->timer_state::start(until.left(), [late = on.get()] { late->give({answer::end::late}); });
  co_await on->one_shot_event::wait();
  if (!on->given_.load(std::memory_order_acquire)) exec::throw_aborted("NATS");
  co_return std::move(on->answer_);
}

reply_table::pending_reply::pending_reply(reply_table& in, const asio::any_io_executor& caller)
    : in_(in), promise_(std::make_shared<reply_promise>(caller)), number_(in.add(promise_)) {}

reply_table::pending_reply::~pending_reply() {
  in_.remove(number_);
  promise_->timer_state::end();
}

std::uint64_t reply_table::add(const std::shared_ptr<reply_promise>& promise) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(++last_, promise);
  size_.store(waiting_.size(), std::memory_order_relaxed);
  if (closed_) promise->give({answer::end::closed});
  return last_;
}

void reply_table::remove(std::uint64_t number) noexcept {
  const std::lock_guard lock(mutex_);
  waiting_.erase(number);
  size_.store(waiting_.size(), std::memory_order_relaxed);
}

bool reply_table::give(std::uint64_t number, answer&& reply) noexcept {
  std::shared_ptr<reply_promise> to;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(number);
    if (found != waiting_.end()) to = found->second;
  }
  if (!to) return false;
  to->give(std::move(reply));
  return true;
}

void reply_table::end_all(answer::end came) noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, promise] : waiting_) promise->give({came});
}

void reply_table::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  end_all(answer::end::closed);
}

}  // namespace msgbus::nats
