#pragma once

/// How one handler is run: where, for how long, how often.

#include <msgbus/core/duration_option.hpp>
#include <msgbus/exec/requirements.hpp>

#include <asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>

namespace msgbus {

/// Repeats a handler that fails. Every attempt is an invocation of its own (I1).
struct retry {
  std::size_t attempts = 1;                                          ///< in all; 1 is no retry
  detail::duration_option backoff = std::chrono::milliseconds(100);  ///< before the 2nd
  detail::duration_option max_backoff = std::chrono::seconds(30);    ///< it doubles so far
  double jitter = 0.2;  ///< the part of a backoff that is random, 0 to 1, so that crowds disperse
};

/// Given with a handler: `consumer.handler(f, {.timeout = 2s, .retry = {.attempts = 5}})`. The
/// order is fixed: retries around a timeout for each attempt, around the dependencies, around the
/// handler.
struct policy {
  /// Runs the handler there; empty: the component's. Released when its context ends: the handler
  /// then fails with `closed`.
  asio::any_io_executor executor = {};
  /// Cancels an attempt that takes longer and waits for its end; if it then fails, it has failed
  /// with `timed_out`. Zero: no limit. One that ends well all the same has ended well: a plain
  /// handler, which cannot be cancelled, or a coroutine that takes no notice. Either way the
  /// observer's `overran` is told, and `counters::overran` counts it.
  detail::duration_option timeout = {};
  msgbus::retry retry = {};

  /// Whether it asks for nothing.
  [[nodiscard]] bool is_plain() const noexcept {
    return !executor && timeout == timeout.zero() && retry.attempts <= 1;
  }
};

namespace async {
using msgbus::policy;
using msgbus::retry;
}  // namespace async

}  // namespace msgbus
