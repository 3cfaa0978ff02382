#pragma once

/// What every component does for its verbs, whatever the message is called.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/async/detail/fan_out_core.hpp>
#include <msgbus/core/function_ref.hpp>
#include <msgbus/exec/held_message.hpp>
#include <msgbus/exec/options.hpp>
#include <msgbus/exec/send_operation.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <chrono>

namespace msgbus::async::detail {

/// Offers a message to a component's mailbox.
exec::put offer(core& to, exec::send_operation& out);
/// The same, but starts no loop: `to.mailbox.start_loops()` is to be called after this.
exec::put offer_only(core& to, exec::send_operation& out);
/// The receipt for one mailbox, counting what was not taken.
receipt receipt_for(exec::put result, core& to, const exec::send_operation& out);

/// Puts a message into a component's mailbox, without waiting.
receipt post_to(core& to, exec::send_operation& out);
/// Whether a `send` that finds the mailbox full waits.
[[nodiscard]] inline bool waits_when_full(const core& to) noexcept {
  return to.mailbox.on_full() == overflow::suspend;
}

/// A coroutine that can be cancelled must have been resumed by its executor before it takes or
/// gives anything: only then does whoever waits for it learn of that before learning of something
/// else (A9). Throws `operation_aborted`.
asio::awaitable<void> pass_through_executor();

/// Puts a message into a component's mailbox, waiting for room where the mailbox says so.
asio::awaitable<receipt> send_to(core& to, exec::send_operation& out,
                                 const asio::any_io_executor& here);

/// Has the handlers of the target run, and gives their number. `hold` makes the message, which
/// stays where it is made.
[[nodiscard]] asio::awaitable<std::size_t> deliver(std::shared_ptr<verb_target> to,
                                                   function_ref<exec::held_message()> hold);

/// Puts it into the component's mailbox. The coroutine owns the message.
asio::awaitable<receipt> send(std::shared_ptr<core> to, exec::held_message message);

/// What they have, with what is being handled here as its cause.
[[nodiscard]] exec::shared_message share(exec::held_message& message);

/// Sends to those that were full, to all at the same time.
asio::awaitable<receipt> send_to_full(targets full, exec::shared_message message);

// The same for plain threads, which are blocked until there is room, or the time has passed. Throw
// `would_deadlock`; and that to one component `closed`.

receipt send_blocking_to(core& to, exec::send_operation& out,
                         std::chrono::steady_clock::duration timeout);
receipt send_blocking_to_all(const targets& all, const exec::shared_message& message,
                             std::chrono::steady_clock::duration timeout);

}  // namespace msgbus::async::detail
