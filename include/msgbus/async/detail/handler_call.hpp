#pragma once

/// How a handler is called when its type is erased. What awaits it is compiled once, and not for
/// each handler.

#include <msgbus/async/detail/delivery.hpp>
#include <msgbus/component/handler_entry.hpp>
#include <msgbus/exec/needs.hpp>
#include <msgbus/policy/held_policy.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace msgbus::async::detail {

/// What is known of a handler: how to call it, and what it needs.
struct handler_call {
  /// Calls it, with pointers to what it needs; one that is a coroutine is put into `start`, and
  /// awaited by whoever calls this.
  void (*call)(void* f, value_ref message, void* const* needed, const context& known,
               asio::awaitable<void>* start);
  const exec::needs* needs;  // null: it needs nothing but its message and the context
  bool is_coroutine;
};

/// The shorter way (`entry::plain`), for a handler that is the only one of its message and need not
/// suspend. Throws what the handler throws, or adds it to `failed`.
using call_at_once = void (*)(routing::entry&, value_ref message, const di::injection& with,
                              failures& failed);

/// An entry and the policy of its handler.
template <class Entry>
class entry_with_policy : public Entry {
 public:
  template <class... Args>
  explicit entry_with_policy(msgbus::policy* how, Args&&... args)
      : Entry(std::forward<Args>(args)...),
        policy(how && !how->is_plain() ? std::make_unique<const held_policy>(std::move(*how))
                                       : nullptr) {
    if (policy) this->hide_plain();
  }

  const std::unique_ptr<const held_policy> policy;  // null: it asks for nothing
};
using event_entry = entry_with_policy<component::event_entry>;
using message_entry = entry_with_policy<component::message_entry>;

/// A handler of an entry, about to be called.
struct handler_in_hand {
  template <class Entry>
  explicit handler_in_hand(entry_with_policy<Entry>& of) noexcept
      : handler_in_hand(of, of.callable()) {}
  template <class Entry>
  handler_in_hand(entry_with_policy<Entry>& of, void* callable) noexcept
      : entry(of), f(callable), policy(of.policy.get()) {}

  routing::entry& entry;
  void* f;
  const held_policy* const policy;  // null: it asks for nothing
};

/// Makes the awaitable that runs it with the message of the delivery, as often and where its policy
/// says. Without `start` it makes none, and only says that one is needed.
step_taken start_handler(const handler_call& what, const handler_in_hand& which, delivery& d,
                         asio::awaitable<void>* start);

/// The two ways of that: once, here, as one that has no policy; and as its policy says. `keep`
/// keeps the message, which is that of the delivery, and `name`, which names it.
[[nodiscard]] asio::awaitable<void> start_once(const handler_call& what,
                                               const handler_in_hand& which, delivery& d);
[[nodiscard]] asio::awaitable<void> start_attempts(const handler_call& what,
                                                   const handler_in_hand& which, delivery& d,
                                                   std::shared_ptr<const void> keep,
                                                   std::string_view name);

/// Whether a handler that could do without must suspend, because of an override.
[[nodiscard]] bool must_suspend(const exec::needs* needs, const delivery& d);

}  // namespace msgbus::async::detail
