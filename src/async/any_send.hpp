#pragma once

/// A message that waits at several full mailboxes and goes into the one that has space first.

#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/exec/mailbox_state.hpp>

#include "exec/task_group.hpp"

#include <asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace msgbus::async::detail {

/// Shared by the waits, one for each mailbox: docs/design/0022-per-key-order.md.
class any_send {
 public:
  /// The mailboxes in the order of preference.
  any_send(targets any_of, exec::shared_message message)
      : any_of_(std::move(any_of)), message_(std::move(message)) {}

  /// Completes: when a mailbox has accepted the message, or all are closed.
  /// Throws: `would_deadlock` if every mailbox waits for the caller; `operation_aborted`.
  /// Cancellation: ends the waits; if the message was not accepted yet, it never is.
  /// Executor: the caller's.
  static asio::awaitable<void> send(std::shared_ptr<any_send> self);

  /// The outcome, once nothing waits. If no mailbox has accepted the message, the first one counts
  /// it as rejected.
  [[nodiscard]] receipt result();

 private:
  [[nodiscard]] bool is_taken();
  static asio::awaitable<void> wait_at(std::shared_ptr<any_send> self, std::size_t index,
                                       asio::any_io_executor here,
                                       std::weak_ptr<exec::task_group> together);

  const targets any_of_;
  const exec::shared_message message_;
  exec::shared_send among_;
};

}  // namespace msgbus::async::detail
