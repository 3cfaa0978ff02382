#pragma once

/// Notifies parts of the library of the destruction of an execution context (A12).

#include <asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace msgbus::exec {

class context_shutdown_hooks;

/// Delays the destruction of its context: the destroying thread waits.
class context_keeper {
 public:
  explicit context_keeper(std::shared_ptr<context_shutdown_hooks> held) noexcept
      : held_(std::move(held)) {}
  context_keeper(context_keeper&&) noexcept = default;
  context_keeper& operator=(context_keeper&&) = delete;
  ~context_keeper();

 private:
  std::shared_ptr<context_shutdown_hooks> held_;  // null: it was moved from
};

/// An object that must release its executor when the context is destroyed. Thread-safe, except that
/// a context must not be destroyed while other threads use it, as everywhere in Asio.
///
/// An object that stores an executor, and may outlive its context, derives from this class and
/// empties the executor in `context_ended`. The strand behind an executor refers to the services of
/// the context until it is destroyed, and the work that an executor tracks refers to the context
/// itself.
class context_shutdown_hook {
 public:
  context_shutdown_hook() = default;
  context_shutdown_hook(const context_shutdown_hook&) = delete;
  context_shutdown_hook& operator=(const context_shutdown_hook&) = delete;

  /// Links to the context of the executor. False if the context is being destroyed, or the executor
  /// is empty.
  bool link(const asio::any_io_executor& executor);
  /// When it returns, no other thread is in `context_ended`, and none will be.
  void unlink() noexcept;

 protected:
  ~context_shutdown_hook() { unlink(); }

  /// Unlinks, and delays the destruction of the context. False, and nothing is delayed, if it was
  /// unlinked or `context_ended` runs. The caller then calls `adopt_hold` without delay, on the
  /// same thread.
  [[nodiscard]] bool unlink_and_hold() noexcept;
  /// Delays the destruction of the context, and stays linked; as above.
  [[nodiscard]] bool hold() const noexcept;
  /// Once, after one of these has returned true. The context may be destroyed after the result
  /// is destroyed.
  [[nodiscard]] context_keeper adopt_hold() const noexcept { return context_keeper(list_); }

  /// Unlinks, and empties the executor while its context cannot end: for destructors.
  void unlink_and_release(asio::any_io_executor& held) noexcept;

 private:
  friend class context_shutdown_hooks;

  /// The context is being destroyed; its services still exist, and destroy posted functions. Called
  /// once, after the hook has left the list.
  virtual void context_ended() noexcept = 0;

  std::shared_ptr<context_shutdown_hooks> list_;  // where it is, or was
  // Under the list's lock. The last one is small, and leaves space for members of derived classes.
  context_shutdown_hook* previous_ = nullptr;
  context_shutdown_hook* next_ = nullptr;
  bool linked_ = false;
};

}  // namespace msgbus::exec
