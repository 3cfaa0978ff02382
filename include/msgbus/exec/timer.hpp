#pragma once

/// Waiting for a time, which is told by the clock of the execution context.

#include <msgbus/exec/clock.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <functional>
#include <memory>

namespace msgbus::exec {

class timer_state;

/// Calls back once, later. Thread-safe, but for its destructor. It may outlive its context
/// and may be destroyed by it: a pending callback is then destroyed, and starting does nothing
/// (A12).
class timer {
 public:
  explicit timer(asio::any_io_executor executor);
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer();

  /// Runs `on_expiry` on the executor when `after` has passed, never from inside this call. What
  /// was started before is cancelled. The pending callback is work that the context waits for. What
  /// the callback throws leaves through the executor: it should not throw.
  void start(clock::duration after, std::function<void()> on_expiry);

  /// The callback is destroyed and does not run, if this is called on the executor's strand before
  /// it ran. Called elsewhere, it may be running.
  void cancel() noexcept;

 private:
  const std::shared_ptr<timer_state> state_;
};

/// Completes: when the event is set, or `at_most` has passed, which may be no time at all.
/// Throws: `operation_aborted` with the name of the wait.
/// Cancellation: of every kind ends the wait.
/// Executor: the caller's, never inline.
[[nodiscard]] asio::awaitable<void> wait_for(std::shared_ptr<one_shot_event> event,
                                             clock::duration at_most, const char* name);

/// Waits on the caller's executor.
///
/// Completes when `after` has passed, which may be no time at all. Fails with asio's
/// `operation_aborted`, and with nothing else. The caller resumes on its executor, never inline.
/// Every kind of cancellation ends the wait, with `operation_aborted`.
[[nodiscard]] asio::awaitable<void> sleep(clock::duration after);

}  // namespace msgbus::exec
