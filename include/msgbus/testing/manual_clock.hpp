#pragma once

/// A clock that a test moves. Thread-safe, except that `run_for` and `run` are for the thread that
/// runs the stepping context.

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include <asio/execution_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>

namespace msgbus::testing {

/// The clock of an execution context, from the construction on. The library's timers of that
/// context (`exec::timer`, `exec::sleep`, and all that use them) expire when the clock advances, in
/// the order of their times. Asio's own timers do not use it. After the destruction the context
/// keeps the clock, which then stands still.
class manual_clock {
 public:
  /// A duration of the steady clock.
  using duration = exec::clock::duration;
  /// A time of the steady clock.
  using time_point = exec::clock::time_point;

  /// Installs the clock in the context.
  explicit manual_clock(asio::execution_context& context);
  /// Installs the clock in the context.
  explicit manual_clock(stepping_context& context);
  manual_clock(const manual_clock&) = delete;
  manual_clock& operator=(const manual_clock&) = delete;
  ~manual_clock();

  /// The current time of this clock.
  [[nodiscard]] time_point now() const noexcept;

  /// The number of pending timers, with those that never expire.
  [[nodiscard]] std::size_t waiting() const;

  /// The time until the next timer expires; empty if none will.
  [[nodiscard]] std::optional<duration> until_next() const;

  /// Advances the clock and expires the timers that are due. Runs no steps. Timers that are started
  /// by the expired ones count from the new time.
  void advance(duration by);

  /// Advances the clock to the next timer, and expires all timers of that time. False if there is
  /// none.
  bool advance_to_next();

  /// Lets time pass: runs all steps, advances to the next timer, runs all steps, and so on until
  /// `by` has passed and no step is left.
  void run_for(stepping_context& context, duration by);

  /// Runs steps until the awaitable has ended, and advances to the next timer whenever no step is
  /// left. Returns its result or throws its exception.
  ///
  /// Throws: `stuck` if the awaitable has not ended, no step is left, and no timer is pending.
  template <class T>
  T run(stepping_context& context, asio::awaitable<T> operation) {
    spawned<T> running = context.spawn(std::move(operation));
    while (!context.run_until([&] { return running.done(); }) && advance_to_next()) {
    }
    return running.get();
  }

 private:
  class state;
  const std::shared_ptr<state> state_;
};

}  // namespace msgbus::testing
