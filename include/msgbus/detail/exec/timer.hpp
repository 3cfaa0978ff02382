#pragma once

/// Timers that follow the clock of the execution context.

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <functional>
#include <memory>

namespace msgbus::exec {

class timer_state;

/// Calls a function once, later. Thread-safe, except for the destructor. It may outlive its
/// context, and may be destroyed by it: a pending callback is then destroyed, and `start` has no
/// effect (A12).
class timer {
 public:
  explicit timer(asio::any_io_executor executor);
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer();

  /// Runs `on_expiry` on the executor after the time `after`, never inside this call. Cancels the
  /// previous start. The pending callback counts as work of the context. The callback should not
  /// throw: its exceptions leave through the executor.
  void start(clock::duration after, std::function<void()> on_expiry);

  /// Destroys the pending callback. If called on the strand of the executor, the callback does not
  /// run afterwards; on other threads it may be running.
  void cancel() noexcept;

 private:
  const std::shared_ptr<timer_state> state_;
};

/// Waits for an event, for at most `at_most`. Zero and negative times are allowed.
///
/// Completes: when the event is set, or the time has passed.
/// Throws: nothing else than `operation_aborted`, with the name of the wait.
/// Cancellation: of every kind ends the wait.
/// Executor: the caller's, never inline.
[[nodiscard]] asio::awaitable<void> wait_for(std::shared_ptr<one_shot_event> event,
                                             clock::duration at_most, const char* name);

/// Waits for the time `after`. Zero and negative times are allowed.
///
/// Completes: when the time has passed.
/// Throws: nothing else than `operation_aborted`.
/// Cancellation: of every kind ends the wait.
/// Executor: the caller's, never inline.
[[nodiscard]] asio::awaitable<void> sleep(clock::duration after);

}  // namespace msgbus::exec
