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

/// The policy of a handler: `consumer.handler(f, {.timeout = 2s, .retry = {.attempts = 5}})`. Its
/// members surround the handler in a fixed order (P1), here from the outside in:
///
///     dead letters <- deduplicate <- rate limit <- deadline <- retry <- breaker <- timeout
///                  <- max_concurrent <- semaphore <- executor <- once <- dependencies <- handler
///
/// A message that waits for one of them is still counted in one outcome only (P2). Waiting uses up
/// no attempt (P3): only a run of the handler does. A member with its default costs nothing (P9). A
/// value that means nothing, such as a negative time, is refused where the handler is attached:
/// with `bad_arguments`, which names the member, the value and what is allowed.
struct policy {
  /// The name of a handler that has its effect once per message, however often the message is
  /// delivered (R2). The transaction of the handler also writes the message's id. A later message
  /// with this id counts as handled, without a run. The handler needs a dependency that keeps the
  /// id, `depends<durable::unit_of_work>`; without one it fails with `misused_dependency`. A
  /// message without an id never left this process and is delivered once, so no id is written. Each
  /// handler needs a name of its own, the same in all versions of the program. Empty: off.
  std::string once = {};
  /// The executor of the handler; empty: that of the component. It is released when its context is
  /// destroyed: the handler then fails with `closed`.
  asio::any_io_executor executor = {};
  /// The largest number of simultaneous runs of this handler. Other runs wait, first come first
  /// served. 0: no limit of its own.
  std::size_t max_concurrent = 0;
  /// The same limit for all handlers that share the semaphore: a run acquires one of its permits,
  /// after `max_concurrent`. Null: no such limit.
  std::shared_ptr<async::semaphore> semaphore = {};
  /// The time limit of one attempt, with the wait for `max_concurrent`; zero: no limit. An attempt
  /// that takes longer is cancelled and waited for. If it fails then, its failure is `timed_out`.
  /// If it succeeds all the same, it has succeeded: a plain handler cannot be cancelled, and a
  /// coroutine may ignore it. In both cases the observer's `overran` is called, and
  /// `counters::overran` counts it. An attempt whose time ends before its handler begins uses up
  /// no attempt; after `retry::attempts` of them, the message has failed with `timed_out`.
  detail::duration_option timeout = {};
  /// While it is open, messages wait in their mailbox and awaited verbs fail with `circuit_open`.
  std::shared_ptr<circuit_breaker> breaker = {};
  msgbus::retry retry = {};
  /// The time limit for all attempts, their pauses and the wait for a breaker together; zero: no
  /// limit. It ends an attempt as `timeout` does. A pause that would exceed it is not begun: the
  /// failure of the last attempt is then final. `context::deadline()` is the earlier one of both
  /// limits (P7).
  detail::duration_option deadline = {};
  /// Each message takes one permit.
  msgbus::rate_limit rate_limit = {};
  msgbus::deduplicate deduplicate = {};
  /// Keeps the messages that have failed after their last attempt.
  std::shared_ptr<async::dead_letters> dead_letters = {};

  /// Whether it has no effect (P9).
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
