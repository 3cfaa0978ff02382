#pragma once

/// The clock of the library's timers: the steady clock, unless a test installs another one in an
/// execution context. Every function may be called from any thread.

#include <asio/any_io_executor.hpp>
#include <asio/execution_context.hpp>

#include <chrono>
#include <memory>

namespace msgbus::exec {

/// A clock that a program or a test moves. Implementations must be thread-safe.
class clock {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  /// An object that waits for a time.
  class clock_waiter {
   public:
    virtual ~clock_waiter() = default;
    /// The time has come. Called on the thread that moves the clock. Must be fast. May run at the
    /// same time as `remove` on another thread.
    virtual void wake() noexcept = 0;
  };

  virtual ~clock() = default;

  /// The current time of this clock.
  [[nodiscard]] virtual time_point now() const noexcept = 0;

  /// Keeps the waiter, and wakes it once, when the time has come: never inside this call, and never
  /// under a lock of the clock. `time_point::max()` never comes. Returns false, and keeps nothing,
  /// if the time has already come.
  [[nodiscard]] virtual bool add(std::shared_ptr<clock_waiter> waiting, time_point until) = 0;

  /// Forgets the waiter. It may have been woken already.
  virtual void remove(const clock_waiter& waiting) noexcept = 0;
};

/// Installs a clock in the context, which keeps it; null restores the steady clock. Waits that have
/// begun stay with the clock that they began with.
void install_clock(asio::execution_context& context, std::shared_ptr<clock> installed);

/// The clock that was installed in the executor's context; null if none was, or for an empty
/// executor.
[[nodiscard]] std::shared_ptr<clock> installed_clock(const asio::any_io_executor& executor);

/// The time in the executor's context. In a program that never installs a clock, it costs the same
/// as the steady clock.
[[nodiscard]] clock::time_point now(const asio::any_io_executor& executor);

/// The same, or some milliseconds earlier: Linux keeps the time of its last tick, which is read in
/// a quarter of the time. For times that are compared with seconds, and passed on to nobody.
[[nodiscard]] clock::time_point rough_now(const asio::any_io_executor& executor);

}  // namespace msgbus::exec
