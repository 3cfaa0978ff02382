#pragma once

// What tests of coroutines need besides the test kit.

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/waiter.hpp>
#include <msgbus/observe/counters.hpp>

#include "support/catch.hpp"

#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <list>
#include <memory>

namespace msgbus_test {

/// Suspends so many times, each time to the end of the executor's queue.
inline asio::awaitable<void> hop(int times = 1) {
  for (int i = 0; i < times; ++i) co_await asio::post(asio::use_awaitable);
}

/// A place where coroutines of one thread wait until it is opened. A cancelled wait throws Asio's
/// `operation_aborted`.
class gate {
 public:
  [[nodiscard]] asio::awaitable<void> wait() const { return wait(state_); }
  void open() {
    state_->open = true;
    for (msgbus::exec::waiter& each : state_->waiting) each.wake();
  }
  /// How many have come, whether or not they still wait.
  [[nodiscard]] std::size_t came() const { return state_->waiting.size(); }

 private:
  struct state {
    bool open = false;
    std::list<msgbus::exec::waiter> waiting;
  };
  static asio::awaitable<void> wait(std::shared_ptr<state> in) {
    msgbus::exec::waiter& mine = in->waiting.emplace_back();
    if (!in->open) co_await mine.wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw asio::system_error(asio::error::operation_aborted, "gate");
    }
  }
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

using msgbus::exec::is_aborted;

/// A7, at a quiet moment.
inline bool is_conserved(const msgbus::counters& all) {
  return all.offered == all.accepted + all.rejected &&
         all.accepted == all.handled + all.failed + all.dropped + all.abandoned;
}

}  // namespace msgbus_test
