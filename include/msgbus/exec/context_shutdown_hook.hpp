#pragma once

/// How parts of the library learn that an execution context is being destroyed (A12).

#include <asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace msgbus::exec {

class context_shutdown_hooks;

/// While it lives, its context does not end: the thread that destroys the context waits.
class held_context {
 public:
  explicit held_context(std::shared_ptr<context_shutdown_hooks> held) noexcept
      : held_(std::move(held)) {}
  held_context(const held_context&) = delete;
  held_context& operator=(const held_context&) = delete;
  ~held_context();

 private:
  const std::shared_ptr<context_shutdown_hooks> held_;
};

/// Something that must let go of a context when that ends. Thread-safe, except that a context must
/// not be destroyed while other threads use it, as everywhere in Asio.
///
/// An object that stores an executor, and may outlive its context, is one of these: it empties the
/// executor when it is told. The strand behind an executor refers to the context's services until
/// it is destroyed, and the work that an executor tracks refers to the context itself.
class context_shutdown_hook {
 public:
  context_shutdown_hook() = default;
  context_shutdown_hook(const context_shutdown_hook&) = delete;
  context_shutdown_hook& operator=(const context_shutdown_hook&) = delete;

  /// Links to the executor's context. False if that is ending already, or the executor is empty.
  bool link(const asio::any_io_executor& executor);
  /// When it returns, no other thread is telling it that the context ends, or will.
  void unlink() noexcept;

 protected:
  ~context_shutdown_hook() { unlink(); }

  /// Unlinks, and keeps the context from ending. False, and nothing is kept, if it was unlinked or
  /// is being told that the context ends. The caller calls `adopt_hold` without delay, on the same
  /// thread.
  [[nodiscard]] bool unlink_and_hold() noexcept;
  /// Once, after `unlink_and_hold` has given true: the context may end when the result is gone.
  [[nodiscard]] held_context adopt_hold() const noexcept { return held_context(list_); }

  /// Unlinks, and empties the executor while its context cannot end: for destructors.
  void unlink_and_release(asio::any_io_executor& held) noexcept;

 private:
  friend class context_shutdown_hooks;

  /// The context ends: its services are still there, and destroy what is posted to it. Called once,
  /// when the link is out of the list.
  virtual void context_ended() noexcept = 0;

  std::shared_ptr<context_shutdown_hooks> list_;  // where it is, or was
  bool linked_ = false;                           // under the list's lock, as are the next two
  context_shutdown_hook* previous_ = nullptr;
  context_shutdown_hook* next_ = nullptr;
};

}  // namespace msgbus::exec
