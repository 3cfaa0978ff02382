#pragma once

/// A wait for a time, on the clock of the library.

#include <msgbus/detail/exec/timer.hpp>

namespace msgbus::async {

/// Waits for a time. Unlike the timers of Asio, it follows a clock that a test has installed, such
/// as `testing::manual_clock`. Zero and negative times are allowed.
///
/// Completes: when the time has passed.
/// Throws: nothing else than `operation_aborted`.
/// Cancellation: of every kind ends the wait.
/// Executor: the caller's.
[[nodiscard]] inline asio::awaitable<void> sleep(std::chrono::steady_clock::duration after) {
  return exec::sleep(after);
}

}  // namespace msgbus::async
