#pragma once

/// The run of a handler with a policy: through its guards, attempt by attempt, on another executor,
/// with a time limit.

#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/policy/stored_policy.hpp>

#include <memory>
#include <string_view>

namespace msgbus::async::detail {

struct command;

/// A run of a handler with a message, according to the policy. It owns everything that it refers
/// to, since it may outlive its waiting caller (A12).
struct handler_run {
  std::shared_ptr<component_core> component;
  routing::entry_pin handler;
  const handler_call* call;
  void* f;
  std::shared_ptr<const void> message;  // the owner of `value`
  value_ref value;
  msgbus::context ctx;
  std::string_view message_name;
  const stored_policy* policy;  // of the handler
  bool queued;                  // from the mailbox: waits where an awaited verb fails
  entered_ptr entered;          // the parts that it has passed; null: none
  command* asked = nullptr;     // the message, if it is a command

  [[nodiscard]] msgbus::step step() const noexcept;
};

/// Returns the awaitable of one attempt, which adds exceptions to `failed`. The arguments outlive
/// it.
[[nodiscard]] asio::awaitable<void> start_attempt(const handler_run& run,
                                                  const msgbus::context& ctx, failures& failed);

/// As above, for a run that keeps all of this itself. May also throw the exceptions of the handler.
[[nodiscard]] asio::awaitable<void> start_attempt(const handler_call& handler, void* f,
                                                  value_ref message,
                                                  const component::injection& with,
                                                  failures& failed);

/// The policy of the handler, or one without effect.
[[nodiscard]] const stored_policy& policy_of(const handler_in_hand& which);

/// Whether the handler is a plain function without dependencies; and one attempt of such a handler.
[[nodiscard]] bool runs_inline(const handler_run& run) noexcept;
void run_attempt_inline(const handler_run& run, const msgbus::context& ctx, failures& failed);

/// Makes attempts until one succeeds or the policy allows no more. The exceptions of the last one
/// are added to `failed`; those of earlier ones go to the observer. Does not throw.
asio::awaitable<void> run_attempts(handler_run run, failures& failed);

}  // namespace msgbus::async::detail
