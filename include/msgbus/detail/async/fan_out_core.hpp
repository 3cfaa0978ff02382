#pragma once

/// The core of a producer or publisher: the bound components.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/one_of_group.hpp>
#include <msgbus/detail/core/on_demand.hpp>
#include <msgbus/detail/exec/owned_message.hpp>
#include <msgbus/detail/observe/observer_slot.hpp>
#include <msgbus/detail/observe/outcomes.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/options.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::async::detail {

class fan_out_every;

/// Full mailboxes whose senders wait: the message goes into one of each.
using full_mailboxes = std::vector<targets>;

/// Thread-safe. It has the verbs of any target, and `send` and `post`.
class fan_out_core final : public routing::single_route, public verb_target {
 public:
  explicit fan_out_core(const char* kind);
  ~fan_out_core() override;

  /// `kind` is "producer" or "publisher", and exists as long as the program.
  [[nodiscard]] static std::shared_ptr<fan_out_core> make(const char* kind);

  void bind(const std::shared_ptr<component_core>& target, const std::source_location& line);
  void bind_one_of(const targets& members, pick_options options);
  void unbind(component_core& target);

  /// The currently bound components.
  [[nodiscard]] targets bound() const;
  /// Calls `take(component)` for each that is bound alone, and `choose(group)` for each group, in
  /// the order of binding.
  void for_each_bound(function_ref<void(component_core&)> take,
                      function_ref<void(const one_of_group&)> choose) const;
  /// Adds the producer or publisher to a graph.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;

  /// The components that this message goes to now: of a group, one.
  [[nodiscard]] targets chosen_for(value_ref message, std::string_view topic) const;

  /// Puts the message into each mailbox. Full mailboxes whose senders wait are added to `full`; if
  /// that is null, they reject.
  receipt offer(const exec::shared_message& message, full_mailboxes* full);

  /// Runs the handlers on the calling thread if exactly one component is bound, and it allows that.
  /// `yield_first`: the caller should let other work run, and call again with `after_yield`.
  enum class at_once { handled, yield_first, no };
  at_once handle_inline(exec::queued_message& message, bool after_yield) const;

  void give(verb_run& run) override;
  /// Counts the message as unrouted. Throws `type_mismatch` if a subscriber has handlers for the
  /// topic and no subscriber accepts the type.
  void nothing_ran(const msgbus::step& message, value_ref value, bool refused) override;
  void count_unrouted(const msgbus::step& step) noexcept;

  /// Reports a message that could not be made, to the observer or else on stderr.
  void failed_to_make(const msgbus::step& step, const std::exception_ptr& why) noexcept;
  /// The recurring schedule ends with this object.
  void keep(const std::shared_ptr<fan_out_every>& started);

  mutable observer_slot attached_observer;
  mutable striped_counter unrouted;

 private:
  template <class Take, class Choose>
  void for_bound(Take take, Choose choose) const;
  static receipt offer_one(component_core& to, const exec::shared_message& message,
                           full_mailboxes* full);
  static receipt offer_among(const one_of_group& group, const exec::shared_message& message,
                             full_mailboxes* full, bool& is_bound);

  struct recurring_schedules {
    std::mutex mutex;
    std::vector<std::weak_ptr<fan_out_every>> all;
  };
  on_demand<recurring_schedules> recurring_;
  const char* const kind_;
};

// Each coroutine owns the message.

asio::awaitable<receipt> send_bound(std::shared_ptr<fan_out_core> self,
                                    exec::owned_message message);
receipt post_bound(fan_out_core& self, exec::queued_message& message);
receipt send_blocking_bound(fan_out_core& self, exec::queued_message& message,
                            std::chrono::steady_clock::duration timeout);

}  // namespace msgbus::async::detail
