#pragma once

// What tests of coroutines need besides the test kit.

#include <msgbus/counters.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/synchronization.hpp>

#include "support/catch.hpp"

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>

namespace msgbus_test {

/// Suspends so many times, each time to the end of the executor's queue.
inline asio::awaitable<void> hop(int times = 1) {
  for (int i = 0; i < times; ++i) co_await asio::post(asio::use_awaitable);
}

/// A place where coroutines wait until it is opened. A cancelled wait throws Asio's
/// `operation_aborted`.
class gate {
 public:
  [[nodiscard]] asio::awaitable<void> wait() const { return wait(state_); }
  void open() { state_->opened.set(); }
  /// How many have come, whether or not they still wait.
  [[nodiscard]] std::size_t came() const { return state_->came; }

 private:
  struct state {
    msgbus::exec::async_event opened;
    std::atomic<std::size_t> came{0};
  };
  static asio::awaitable<void> wait(std::shared_ptr<state> in) {
    ++in->came;
    co_await in->opened.wait();
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
