#pragma once

/// The policies around one handler.

#include <msgbus/async/semaphore.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/deduplicate.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/requirements.hpp>
#include <msgbus/rate_limit.hpp>
#include <msgbus/retry.hpp>

#include <asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace msgbus {

namespace async {
using msgbus::deduplicate;
class dead_letters;
}  // namespace async

/// Given with a handler: `consumer.handler(f, {.timeout = 2s, .retry = {.attempts = 5}})`. The
/// members stand from the inside out, and their order is fixed (P1):
///
///     dead letters <- deduplicate <- rate limit <- deadline <- retry <- breaker <- timeout
///                  <- max_concurrent <- semaphore <- executor <- once <- dependencies <- handler
///
/// A message that waits for any of them is still in one outcome only (P2), and uses up no attempt
/// (P3): only a run of the handler does. A member with its default costs nothing (P9).
struct policy {
  /// The name of a handler that has its effect once for each message, however often that comes
  /// (R2): the message's id is written with the transaction of the handler, and a message whose id
  /// is there counts as handled, without a run. The handler needs a dependency that keeps the id,
  /// `depends<durable::unit_of_work>`; without one it fails with `misused_dependency`. A message
  /// without an id never left this process and comes once, so its id is not written. Each handler
  /// has a name of its own, the same in all versions of the program. Empty: no such handler.
  std::string once = {};
  /// Runs the handler there; empty: the component's. Released when its context ends: the handler
  /// then fails with `closed`.
  asio::any_io_executor executor = {};
  /// The largest number of simultaneous runs of this handler. Other runs wait, first come first
  /// served. 0: no limit of its own.
  std::size_t max_concurrent = 0;
  /// The same for all handlers that share it: a run takes one of its permits, after its place of
  /// `max_concurrent`. Null: no such limit.
  std::shared_ptr<async::semaphore> semaphore = {};
  /// Cancels an attempt that takes longer and waits for its end; if it then fails, it has failed
  /// with `timed_out`. Zero: no limit. One that ends well all the same has ended well: a plain
  /// handler, which cannot be cancelled, or a coroutine that takes no notice. Either way the
  /// observer's `overran` is told, and `counters::overran` counts it. Waiting for `max_concurrent`
  /// is part of the attempt's time.
  detail::duration_option timeout = {};
  /// While it is open, messages wait in their mailbox and awaited verbs fail with `circuit_open`.
  std::shared_ptr<circuit_breaker> breaker = {};
  msgbus::retry retry = {};
  /// For all attempts, their pauses and the waiting for a breaker together. Zero: no limit. It ends
  /// an attempt as `timeout` does. A pause that would not end before it is not begun: the failure
  /// of the last attempt is final then. The handler sees in `context::deadline()` whichever of the
  /// two is nearer (P7).
  detail::duration_option deadline = {};
  /// One permit for each message.
  msgbus::rate_limit rate_limit = {};
  msgbus::deduplicate deduplicate = {};
  /// Keeps the messages that have failed after their last attempt.
  std::shared_ptr<async::dead_letters> dead_letters = {};

  /// Whether it asks for nothing (P9).
  [[nodiscard]] bool is_plain() const noexcept {
    return once.empty() && !executor && max_concurrent == 0 && !semaphore &&
           timeout == timeout.zero() && !breaker && retry.attempts <= 1 &&
           deadline == deadline.zero() && rate_limit.is_plain() && deduplicate.is_plain() &&
           !dead_letters;
  }
};

namespace async {
using msgbus::policy;
}  // namespace async

}  // namespace msgbus
