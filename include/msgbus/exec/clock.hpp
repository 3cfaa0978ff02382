#pragma once

/// The time that the library's waits obey: the steady clock, unless a test gives an execution
/// context a clock of its own. Every function may be called from any thread.

#include <asio/any_io_executor.hpp>
#include <asio/execution_context.hpp>

#include <chrono>
#include <memory>

namespace msgbus::exec {

/// A clock that somebody else moves. Implementations must be thread-safe.
class clock {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  /// Something that waits for a time.
  class sleeper {
   public:
    virtual ~sleeper() = default;
    /// Its time has come. Called on the thread that moves the clock; must be quick, may be called
    /// while `remove` is, on another thread.
    virtual void wake() noexcept = 0;
  };

  virtual ~clock() = default;

  [[nodiscard]] virtual time_point now() const noexcept = 0;

  /// Keeps the sleeper and wakes it once, when the time has come; never from inside this call, and
  /// without holding a lock of the clock. `time_point::max()` never comes. False, and nothing is
  /// kept, if the time has come already.
  [[nodiscard]] virtual bool add(std::shared_ptr<sleeper> waiting, time_point until) = 0;

  /// The sleeper waits no longer. It may have been woken already.
  virtual void remove(const sleeper& waiting) noexcept = 0;
};

/// Gives the context a clock, or with null the steady clock again. The context keeps it. Waits that
/// have begun stay with the clock they began with.
void install_clock(asio::execution_context& context, std::shared_ptr<clock> installed);

/// The clock that somebody gave to the executor's context; null if nobody did, or for an empty
/// executor.
[[nodiscard]] std::shared_ptr<clock> installed_clock(const asio::any_io_executor& executor);

/// The time in the executor's context. As cheap as the steady clock in a program that never
/// installs another.
[[nodiscard]] clock::time_point now(const asio::any_io_executor& executor);

}  // namespace msgbus::exec
