#pragma once

/// Stops calling what is down, and tries now and then whether it is back.

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/breaker_machine.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace msgbus {

namespace detail {
struct breaker_access;
}  // namespace detail

/// The options of a `circuit_breaker`.
struct breaker_options {
  /// The breaker opens when this part of the calls has failed,
  double failure_ratio = 0.5;
  std::size_t minimum = 20;                                     ///< of at least so many calls
  detail::duration_option sampling = std::chrono::seconds(30);  ///< in so long a time.
  /// It is open for so long the first time, and twice as long each time it opens again before it
  /// has been closed for the time of `sampling`,
  detail::duration_option open_for = std::chrono::seconds(5);
  detail::duration_option max_open_for = std::chrono::minutes(1);  ///< up to this.
  /// How many calls are tried then. All must succeed for it to close; one failure opens it again,
  /// as does it if they have not ended after `max_open_for`.
  std::size_t half_open_permits = 1;
  /// Whether this failure says that the downstream is in trouble; empty: every one does. A failure
  /// that does not count changes nothing.
  std::function<bool(const std::exception_ptr&)> counts = {};
  std::string name = {};  ///< for errors
  /// Told of every change, on the thread that makes it, after it was made.
  std::function<void(detail::breaker_phase)> on_change = {};
};

/// A circuit breaker, which handlers share that call the same downstream:
///
///     using namespace msgbus;
///     auto bank = std::make_shared<circuit_breaker>(breaker_options{.name = "bank"});
///     orders.handler(charge_card, {.breaker = bank});
///
/// While it is open, messages wait in their mailbox, and awaited verbs fail at once with
/// `circuit_open` (a `refused_error`, which says when the breaker tries again). Neither uses up an
/// attempt of a retry (P3). What is cancelled never counts, nor do `bad_alloc` and misuse (P4), nor
/// a call that began before the last change of state. Every member function may be called from any
/// thread.
class circuit_breaker {
 public:
  /// closed, open, half_open, isolated (open by hand)
  using state = detail::breaker_phase;

  circuit_breaker() : circuit_breaker(breaker_options{}) {}
  explicit circuit_breaker(breaker_options options);
  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;
  ~circuit_breaker() = default;

  /// An open breaker whose time is over stays open until somebody asks it for a call.
  [[nodiscard]] state current() const;
  /// The name, for errors.
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }

  /// Lets nothing through until `reset`.
  void isolate();
  /// Closes it, and forgets what failed so far.
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

namespace async {
using msgbus::breaker_options;
using msgbus::circuit_breaker;
}  // namespace async

}  // namespace msgbus
