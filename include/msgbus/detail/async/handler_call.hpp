#pragma once

/// The type-erased call of a handler. The code that awaits it is compiled once, and not per
/// handler.

#include <msgbus/detail/async/component_run.hpp>
#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/exec/needs.hpp>
#include <msgbus/detail/policy/stored_policy.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace msgbus::async::detail {

struct command;

/// The description of a handler: its call and its dependencies.
struct handler_call {
  /// Calls it, with pointers to its dependencies. A coroutine is stored in `start`, and awaited by
  /// the caller.
  void (*call)(void* f, value_ref message, void* const* needed, const context& ctx,
               asio::awaitable<void>* start);
  const exec::needs* needs;  // null: no dependencies
  bool is_coroutine;
};

/// The faster call (`entry::plain`), for a handler that is the only one of its message and need not
/// suspend. Throws its exception, or adds it to `failed`.
using call_inline = void (*)(routing::entry&, value_ref message, const component::injection& with,
                             failures& failed);

/// An entry and the policy of its handler.
template <class Entry>
class entry_with_policy : public Entry {
 public:
  template <class... Args>
  explicit entry_with_policy(msgbus::policy* handler_policy, Args&&... args)
      : Entry(std::forward<Args>(args)...),
        policy(handler_policy && !handler_policy->is_plain()
                   ? std::make_unique<const stored_policy>(std::move(*handler_policy))
                   : nullptr) {
    if (!policy) return;
    this->hide_plain();
    // With the callable. Entries live as long as the core of their component, which dead letters
    // may keep.
    this->when_released([this] { policy.reset(); });
  }

  std::unique_ptr<const stored_policy> policy;  // null: it has no effect, or was released
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
  const stored_policy* const policy;  // null: it has no effect
};

using run_plain = void (*)(void* f, value_ref message, const component::injection& with,
                           failures& failed);
/// Runs a plain handler with a policy if it need not wait (`ran`). Otherwise, or if it has failed
/// and its policy continues, an awaitable does the rest (`suspends`).
step_taken run_guarded(const handler_in_hand& which, component_run& d, run_plain run);

/// Begins a coroutine handler, in the coroutine of its run, if its policy lets it through
/// immediately: `*start` is its awaitable, and `component_run::goes_on` ends it. Returns false, and
/// begins nothing, if the handler must wait, or has a time limit and the coroutine cannot be
/// cancelled for it; then `start_attempts` does the rest.
[[nodiscard]] bool start_guarded(const handler_call& handler, const handler_in_hand& which,
                                 component_run& d, asio::awaitable<void>* start);

/// The code around the handler.
[[nodiscard]] surrounded surrounding(const handler_call& handler, const handler_in_hand& which,
                                     const component_run& d) noexcept;

/// Makes the awaitable that runs the handler with the message of the run, according to its policy.
/// Without `start` it makes none, and only reports that one is needed.
step_taken start_handler(const handler_call& handler, const handler_in_hand& which,
                         component_run& d, asio::awaitable<void>* start);

/// The two forms: one run without a policy; and attempts by its policy. `keep` keeps the message of
/// the run and its `name` alive; `asked` is the message, if it is a command.
[[nodiscard]] asio::awaitable<void> start_once(const handler_call& handler,
                                               const handler_in_hand& which, component_run& d);
[[nodiscard]] asio::awaitable<void> start_attempts(const handler_call& handler,
                                                   const handler_in_hand& which, component_run& d,
                                                   std::shared_ptr<const void> keep,
                                                   std::string_view name, command* asked = nullptr);

/// Whether an override makes a plain handler suspend.
[[nodiscard]] bool must_suspend(const exec::needs* needs, const component_run& d);

}  // namespace msgbus::async::detail
