#pragma once

/// The core of a producer or publisher: the bound components.

#include <msgbus/detail/async/core.hpp>
#include <msgbus/detail/async/verb_target.hpp>
#include <msgbus/detail/exec/held_message.hpp>
#include <msgbus/detail/observe/observer_slot.hpp>
#include <msgbus/detail/observe/outcomes.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/options.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace msgbus::async::detail {

using targets = std::vector<std::shared_ptr<core>>;

/// Thread-safe. It has the verbs of any target, and `send` and `post`.
class fan_out_core final : public routing::single_route, public verb_target {
 public:
  fan_out_core();
  ~fan_out_core() override;

  [[nodiscard]] static std::shared_ptr<fan_out_core> make();

  void bind(const std::shared_ptr<core>& target);
  void unbind(core& target);

  /// The currently bound components.
  [[nodiscard]] targets bound() const;

  /// Puts the message into each mailbox. Full mailboxes whose senders wait are added to `full`;
  /// without it they reject.
  receipt offer(const exec::shared_message& message, targets* full);

  void give(verb_run& run) override;
  /// Counts it. Throws `type_mismatch` if a subscriber has handlers for the topic and no subscriber
  /// accepts the type.
  void nothing_ran(const msgbus::step& message, value_ref value, bool refused) override;
  void count_unrouted(const msgbus::step& step) noexcept;

  mutable observer_slot attached_observer;
  mutable striped_counter unrouted;

 private:
  template <class Take>
  void for_each_bound(Take take) const;
};

// Each coroutine owns the message.

asio::awaitable<receipt> send_bound(std::shared_ptr<fan_out_core> self, exec::held_message message);
receipt post_bound(fan_out_core& self, exec::queued_message& message);
receipt send_blocking_bound(fan_out_core& self, exec::queued_message& message,
                            std::chrono::steady_clock::duration timeout);

}  // namespace msgbus::async::detail
