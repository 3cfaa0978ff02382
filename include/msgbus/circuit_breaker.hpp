#pragma once

/// A circuit breaker: refuses calls of a downstream that is down, and probes from time to time
/// whether it is back.

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/breaker_machine.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <string>
#include <string_view>

namespace msgbus {

namespace detail {
struct breaker_access;
}  // namespace detail

/// The options of a `circuit_breaker`, which refuses numbers and times of zero and below, a
/// `failure_ratio` that is not above 0 and at most 1, and a `max_open_for` below `open_for`.
struct breaker_options {
  /// The breaker opens when this fraction of the calls within `sampling` has failed, and at least
  /// `minimum` calls were made.
  double failure_ratio = 0.5;
  std::size_t minimum = 20;                                     ///< the fewest calls that open it
  detail::duration_option sampling = std::chrono::seconds(30);  ///< the time that is looked at
  /// The time for which it stays open. The time doubles, up to `max_open_for`, each time it opens
  /// again before it has been closed for the time of `sampling`.
  detail::duration_option open_for = std::chrono::seconds(5);
  detail::duration_option max_open_for = std::chrono::minutes(1);  ///< the longest time
  /// The number of probes, which are calls that it lets through afterwards. It closes when all have
  /// succeeded. It opens again when one has failed, or when they have not ended after
  /// `max_open_for`.
  std::size_t half_open_permits = 1;
  /// Whether this failure counts, because the downstream is in trouble; empty: every failure
  /// counts. A failure that does not count changes nothing.
  std::function<bool(const std::exception_ptr&)> counts = {};
  std::string name = {};  ///< for errors
  /// Called after every change of the state, on the thread that made it.
  std::function<void(detail::breaker_phase)> on_change = {};
};

/// A circuit breaker. Handlers that call the same downstream share one:
///
///     using namespace msgbus;
///     auto bank = std::make_shared<circuit_breaker>(breaker_options{.name = "bank"});
///     orders.handler(charge_card, {.breaker = bank});
///
/// While it is open, messages wait in their mailbox, and awaited verbs fail immediately with
/// `circuit_open` (a `refused_error`, with the time of the next probe). Neither uses up an attempt
/// of a retry (P3). Cancelled calls, `bad_alloc` and misuse never count (P4), and neither do calls
/// that began before the last change of the state. Every member function may be called from any
/// thread.
class circuit_breaker {
 public:
  /// closed, open, half_open, isolated (open by hand)
  using state = detail::breaker_phase;

  circuit_breaker() : circuit_breaker(breaker_options{}) {}
  /// Throws: `bad_arguments`, with the option, its value and what is allowed.
  explicit circuit_breaker(breaker_options options);
  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;
  ~circuit_breaker() = default;

  /// An open breaker whose time is over stays open until the next call.
  [[nodiscard]] state current() const;
  /// The name, for errors.
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }

  /// Refuses all calls until `reset`.
  void isolate();
  /// Closes it, and forgets the earlier failures.
  void reset();

 private:
  friend detail::breaker_access;

  template <class Change>
  auto change(Change&& change);
  void tell(state now) const noexcept;

  const breaker_options options_;
  mutable std::mutex mutex_;
  detail::breaker_machine machine_;  // under the mutex
  detail::attached_waiters waiting_;
};

/// "closed", "open", "half_open" or "isolated".
[[nodiscard]] std::string_view state_name(circuit_breaker::state state) noexcept;

namespace detail {
/// Writes the `state_name`.
std::ostream& operator<<(std::ostream& out, breaker_phase state);
}  // namespace detail

namespace async {
using msgbus::breaker_options;
using msgbus::circuit_breaker;
}  // namespace async

}  // namespace msgbus
