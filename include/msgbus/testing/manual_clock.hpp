#pragma once

/// A clock that a test moves. Every function may be called from any thread; `run_for` and `run` are
/// for the thread that runs the stepping context.

#include <msgbus/exec/clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include <asio/execution_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>

namespace msgbus::testing {

/// Is the clock of a context from its construction on: the library's timers there (`exec::timer`,
/// `exec::sleep`, and what is made of them) expire when it is advanced, in the order of their
/// times. Asio's own timers know nothing of it. When this is gone the context keeps the clock,
/// which then stands still.
class manual_clock {
 public:
  using duration = exec::clock::duration;
  using time_point = exec::clock::time_point;

  explicit manual_clock(asio::execution_context& context);
  explicit manual_clock(stepping_context& context);
  manual_clock(const manual_clock&) = delete;
  manual_clock& operator=(const manual_clock&) = delete;
  ~manual_clock();

  [[nodiscard]] time_point now() const noexcept;

  /// How many timers wait for it, those that wait for ever included.
  [[nodiscard]] std::size_t waiting() const;

  /// How long it is until the next timer expires; none if no timer waits, or only for ever.
  [[nodiscard]] std::optional<duration> until_next() const;

  /// Moves on, and wakes the timers whose time has come. Does no steps: what the timers' owners
  /// start in turn waits from the new time on.
  void advance(duration by);

  /// Moves on to the next timer's time, and wakes all timers of that time. False if none waits.
  bool advance_to_next();

  /// Lets the time pass: does all steps, moves on to the next timer's time, does all steps, and so
  /// on until `by` has passed and nothing is left to do.
  void run_for(stepping_context& context, duration by);

  /// Does steps until the awaitable has ended, and moves on to the next timer's time whenever
  /// nothing is left to do. Gives its result or throws what it threw. Throws `stuck` if no timer
  /// waits, and it has not ended.
  template <class T>
  T run(stepping_context& context, asio::awaitable<T> what) {
    spawned<T> running = context.spawn(std::move(what));
    while (!context.run_until([&] { return running.done(); }) && advance_to_next()) {
    }
    return running.get();
  }

 private:
  class state;
  const std::shared_ptr<state> state_;
};

}  // namespace msgbus::testing
