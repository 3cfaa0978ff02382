#pragma once

/// The common code of all verbs, independent of the type of message.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/fan_out_core.hpp>
#include <msgbus/detail/core/function_ref.hpp>
#include <msgbus/detail/exec/owned_message.hpp>
#include <msgbus/detail/exec/send_operation.hpp>
#include <msgbus/options.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <chrono>

namespace msgbus::async::detail {

/// Offers a message to a component's mailbox.
exec::put offer(component_core& to, exec::send_operation& out);
/// As above, but starts no loop: call `to.mailbox.start_loops()` afterwards.
exec::put offer_only(component_core& to, exec::send_operation& out);
/// Runs the handlers on the calling thread if the component allows that (see
/// `mailbox::try_handle`). Otherwise returns false, and does nothing.
bool try_handle(component_core& to, exec::queued_message& message);
/// Prepares a message for a wait at this mailbox.
void prepare(component_core& to, exec::send_operation& out);
/// The receipt for one mailbox; counts a message that was not accepted.
receipt receipt_for(exec::put result, component_core& to, const exec::send_operation& out);

/// Puts a message into a component's mailbox, without waiting.
receipt post_to(component_core& to, exec::send_operation& out);
/// Whether a `send` to a full mailbox waits.
[[nodiscard]] inline bool waits_when_full(const component_core& to) noexcept {
  return to.mailbox.on_full() == overflow::suspend;
}

/// Resumes a cancellable coroutine through its executor, before it takes or passes a message: so
/// its caller sees a cancellation before any effect (A9). Throws `operation_aborted`.
asio::awaitable<void> pass_through_executor();

/// Puts a message into a component's mailbox, and waits for space if the options say so.
asio::awaitable<receipt> send_to(component_core& to, exec::send_operation& out,
                                 const asio::any_io_executor& here);

/// Runs the handlers of the target, and returns their number. `hold` constructs the message in
/// place.
[[nodiscard]] asio::awaitable<std::size_t> deliver(std::shared_ptr<verb_target> to,
                                                   function_ref<exec::owned_message()> hold);

/// Puts the message into the component's mailbox. The coroutine owns the message.
asio::awaitable<receipt> send(std::shared_ptr<component_core> to, exec::owned_message message);

/// The message, with the currently handled message as its cause.
[[nodiscard]] exec::shared_message share(exec::owned_message& message);

/// Sends to the full mailboxes, concurrently.
asio::awaitable<receipt> send_to_full(full_mailboxes full, exec::shared_message message);

// For plain threads, which block until there is space, or the time has passed. They throw
// `would_deadlock`; the one for a single component also throws `closed`.

receipt send_blocking_to(component_core& to, exec::send_operation& out,
                         std::chrono::steady_clock::duration timeout);
receipt send_blocking_to_full(const full_mailboxes& full, const exec::shared_message& message,
                              std::chrono::steady_clock::time_point deadline);

}  // namespace msgbus::async::detail
