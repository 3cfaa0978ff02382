#pragma once

// Tools for tests of coroutines, in addition to the test kit.

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

/// Suspends `times` times, each time to the end of the executor's queue.
inline asio::awaitable<void> hop(int times = 1) {
  for (int i = 0; i < times; ++i) co_await asio::post(asio::use_awaitable);
}

/// Coroutines wait until it is opened. A cancelled wait throws Asio's `operation_aborted`.
class gate {
 public:
  [[nodiscard]] asio::awaitable<void> wait() const { return wait(state_); }
  void open() { state_->opened.set(); }
  /// The number of waits so far, ended or not.
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

/// The equations of guarantee A7, for a quiet component.
inline bool is_conserved(const msgbus::counters& all) {
  return all.offered == all.accepted + all.rejected &&
         all.accepted == all.handled + all.failed + all.dropped + all.abandoned;
}

}  // namespace msgbus_test
