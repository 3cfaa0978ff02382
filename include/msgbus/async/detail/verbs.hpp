#pragma once

/// What every component does for its verbs, whatever the message is called.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/async/detail/fan_out_core.hpp>
#include <msgbus/core/function_ref.hpp>
#include <msgbus/exec/held_message.hpp>
#include <msgbus/exec/options.hpp>
#include <msgbus/exec/outgoing.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

namespace msgbus::async::detail {

/// The receipt for one mailbox, counting what was not taken.
template <class Outgoing>
receipt receipt_for(exec::put result, core& to, const Outgoing& out) {
  switch (result) {
    case exec::put::taken: return {.admitted = 1};
    case exec::put::dropped: to.dropped_newest(out.message(), out.topic()); return {.dropped = 1};
    case exec::put::full:
    case exec::put::closed: break;
  }
  to.refused(out.message(), out.topic());
  return {.rejected = 1};
}

/// Puts a message into a component's mailbox, without waiting.
template <class Outgoing>
receipt post_to(core& to, Outgoing& out) {
  const snapshot::guard guard(to.routes().guarded());  // a drain waits for it
  return receipt_for(to.mailbox.try_put(out), to, out);
}

/// Whether a `send` that finds the mailbox full waits.
[[nodiscard]] inline bool waits_when_full(const core& to) noexcept {
  return to.mailbox.options().on_full == overflow::suspend;
}

/// A coroutine that can be cancelled must have been resumed by its executor before it takes or
/// gives anything: only then does whoever waits for it learn of that before learning of something
/// else (A9). Throws `operation_aborted`.
asio::awaitable<void> pass_through_executor();

/// Puts a message into a component's mailbox, waiting for room where the mailbox says so.
template <class Outgoing>
asio::awaitable<receipt> send_to(core& to, Outgoing& out, const asio::any_io_executor& here) {
  exec::put result = exec::put::full;
  {
    const snapshot::guard guard(to.routes().guarded());
    result = to.mailbox.try_put(out);
  }
  if (result == exec::put::full && waits_when_full(to)) {
    result = co_await to.mailbox.put_when_room(out, here);
  }
  co_return receipt_for(result, to, out);
}

/// Has the handlers of the target run, and gives their number. `hold` makes the message, which
/// stays where it is made.
[[nodiscard]] asio::awaitable<std::size_t> deliver(std::shared_ptr<verb_target> to,
                                                   function_ref<exec::held_message()> hold);

/// Puts it into the component's mailbox. The coroutine owns the message.
asio::awaitable<receipt> send(std::shared_ptr<core> to, exec::held_message message);

/// What they have, with what is being handled here as its cause.
[[nodiscard]] exec::shared_message share(exec::held_message& message);

/// Sends to each of them, one after the other where there is room, then to those that were full.
asio::awaitable<receipt> send_to_all(targets all, exec::shared_message message);
receipt post_to_all(const targets& all, const exec::shared_message& message);

}  // namespace msgbus::async::detail
