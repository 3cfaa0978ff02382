#pragma once

/// The retries of a handler: their number, the pauses, and the failures that are retried.

#include <msgbus/detail/core/durations.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <iosfwd>
#include <optional>

namespace msgbus {

/// The growth of the pauses between attempts: doubled, by `backoff` each time, or none.
enum class backoff_kind { exponential, linear, constant };
std::ostream& operator<<(std::ostream& out, backoff_kind value);

/// Repeats a handler that fails. Every attempt is an invocation of its own (I1). A cancellation
/// (Asio's `operation_aborted`), `bad_alloc` and misuse (`would_deadlock`, `not_provided`, ...) are
/// never repeated (P4).
struct retry {
  /// In all, at least 1, which is no retry. Also the limit of the attempts of one message that time
  /// out before the handler begins (`policy::timeout`).
  std::size_t attempts = 1;
  detail::duration_option backoff = std::chrono::milliseconds(100);  ///< the first pause
  /// It grows so far. Not shorter than `backoff`.
  detail::duration_option max_backoff = std::chrono::seconds(30);
  /// The random part of a pause, from 0 to 1, so that many clients do not repeat at the same time.
  /// 1 is full jitter.
  double jitter = 0.2;
  /// Whether this failure of the handler is retried; empty: every failure is. Several threads may
  /// call it at the same time. If it throws, no other attempt is made, and both failures are
  /// reported.
  std::function<bool(const std::exception_ptr&)> if_ = {};
  backoff_kind kind = backoff_kind::exponential;
  /// Whether a message keeps the order of its mailbox: later messages wait during its pauses. If
  /// false, the message pauses beside the mailbox. It still counts in the capacity, but gives its
  /// `concurrency` permit to other messages; after the pause it gets the first free permit. Awaited
  /// verbs have no order in the mailbox. A message with a key (`ordered_by`) always keeps its
  /// order.
  bool hold_order = true;
};

/// A base for exceptions that know when another attempt makes sense, like the `Retry-After` header
/// of HTTP. The pause before the next attempt is then at least that long, even if `max_backoff` is
/// shorter. Derive from it in addition to `std::runtime_error`.
class retry_hint {
 public:
  explicit retry_hint(std::chrono::steady_clock::duration after) noexcept : after_(after) {}
  virtual ~retry_hint() = default;

  /// The shortest pause before the next attempt.
  [[nodiscard]] std::chrono::steady_clock::duration retry_after() const noexcept { return after_; }

 protected:
  retry_hint(const retry_hint&) = default;
  retry_hint& operator=(const retry_hint&) = default;

 private:
  std::chrono::steady_clock::duration after_;
};

/// The pause that a `retry_hint` requests; empty for other exceptions.
[[nodiscard]] std::optional<std::chrono::steady_clock::duration> retry_after(
    const std::exception_ptr& failure) noexcept;

namespace async {
using msgbus::backoff_kind;
using msgbus::retry;
using msgbus::retry_after;
using msgbus::retry_hint;
}  // namespace async

}  // namespace msgbus
