#pragma once

/// Retries of a handler: how often, after which pause, and for which failures.

#include <msgbus/detail/core/durations.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>

namespace msgbus {

/// How the pauses between attempts grow: doubled, by `backoff` each time, or not at all.
enum class backoff_kind { exponential, linear, constant };

/// Repeats a handler that fails. Every attempt is an invocation of its own (I1). A cancellation
/// (Asio's `operation_aborted`), `bad_alloc` and misuse (`would_deadlock`, `not_provided`, ...) are
/// never repeated (P4).
struct retry {
  std::size_t attempts = 1;                                          ///< in all; 1 is no retry
  detail::duration_option backoff = std::chrono::milliseconds(100);  ///< before the 2nd
  detail::duration_option max_backoff = std::chrono::seconds(30);    ///< it grows so far
  /// The part of a backoff that is random, 0 to 1, so that crowds disperse. 1 is full jitter.
  double jitter = 0.2;
  /// Whether this failure of the handler is worth another attempt; empty: every one is. May be
  /// called on several threads at once. If it throws, there is no other attempt, and both failures
  /// are reported.
  std::function<bool(const std::exception_ptr&)> if_ = {};
  backoff_kind kind = backoff_kind::exponential;
  /// A message keeps the order of its mailbox: nothing behind it is handled in its pauses. False:
  /// it waits beside the mailbox, still counted in its capacity, and needs none of the
  /// `concurrency` permits meanwhile; the first permit that is free after its pause is its own. An
  /// awaited verb has no place in a mailbox, and no order to keep. A message with a key
  /// (`ordered_by`) keeps its order all the same.
  bool hold_order = true;
};

/// A base of exceptions that know when another attempt makes sense, as an answer of HTTP does with
/// `Retry-After`. The pause before the next attempt is at least so long, whatever `max_backoff`
/// says. Derive from it beside `std::runtime_error`.
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

/// The pause that a `retry_hint` asks for; nothing for other exceptions.
[[nodiscard]] std::optional<std::chrono::steady_clock::duration> retry_after(
    const std::exception_ptr& failure) noexcept;

namespace async {
using msgbus::backoff_kind;
using msgbus::retry;
using msgbus::retry_after;
using msgbus::retry_hint;
}  // namespace async

}  // namespace msgbus
