#pragma once

/// The core of a subscriber, shared with publishers and subscriptions, which may outlive the
/// subscriber.

#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/detail/routing/topic_tree.hpp>
#include <msgbus/detail/sync/component_run.hpp>
#include <msgbus/detail/sync/fan_out_base.hpp>
#include <msgbus/registered_at.hpp>
#include <msgbus/subscription.hpp>

namespace msgbus::sync::detail {

/// A message for the handlers of its topic.
struct posting : component_run {
  posting(value_ref value, std::string_view to, std::size_t hash_of_topic) noexcept
      : component_run(value, ctx), ctx(to), hash(hash_of_topic) {}

  const msgbus::context ctx;
  const std::size_t hash;  // of the topic
  bool refused = false;    // a handler of the topic does not accept the type (T6)
};

class subscriber_core final : public routing::topic_tree {
 public:
  explicit subscriber_core(std::shared_ptr<provider> overrides);
  ~subscriber_core() override;

  [[nodiscard]] static std::shared_ptr<subscriber_core> make(std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from. Throws `invalid_topic`.
  subscription attach_handler(std::initializer_list<std::string_view> patterns,
                              const component::message_calls& calls,
                              const component::callable_type& type, void* callable,
                              const registered_at& line);

  /// The fast path, under a guard. True if the message has exactly one handler, which has a `plain`
  /// call and has run. Throws the handler's exception.
  [[nodiscard]] bool deliver_short(value_ref message, std::string_view topic,
                                   std::size_t hash) const;

  /// Runs the handlers of the message, and collects their failures. Throws only `invalid_topic`.
  std::size_t deliver(posting& posted, arrival path) const;

  /// All handlers of the topic, for errors.
  [[nodiscard]] std::string describe_handlers(const posting& posted) const;

  std::size_t receive(value_ref message, std::string_view topic, std::size_t hash) const;

  /// A `replay_target::run_only` of a subscriber core.
  static bool run_only(const void* core, value_ref message, std::string_view topic,
                       std::uint64_t handler, failures& failed);

  void trace(std::shared_ptr<tracer> by) {
    shared.attached_observer.set_tracer(guarded(), std::move(by));
  }

  void shutdown() noexcept;

  /// Adds the component and its senders to a graph.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;
  /// The attached handlers, in the order of attachment.
  [[nodiscard]] std::vector<component::described_handler> described_handlers() const;

  mutable component::counted_component_state shared;
  component::bound_to<subscriber_core> senders;

 private:
  // Under a guard. `by` is null if nobody watches; `verb` is null if the sender has its span.
  std::size_t receive_unwatched(value_ref message, std::string_view topic, std::size_t hash) const;
  std::size_t receive_watched(value_ref message, std::string_view topic, std::size_t hash,
                              const attachments& by) const;
  std::size_t receive_guarded(value_ref message, std::string_view topic, std::size_t hash,
                              const attachments* by, const trace_start& start) const;
  std::size_t deliver_unwatched(posting& posted, routing::merged_handlers& found) const;
  std::size_t deliver_watched(posting& posted, routing::merged_handlers& found,
                              const attachments& by, const char* verb,
                              const trace_start& start) const;
};

extern template class fan_out_base<subscriber_core>;

class publisher_core final : public fan_out_base<subscriber_core> {
 public:
  publisher_core();
  ~publisher_core() override;

  [[nodiscard]] static std::shared_ptr<publisher_core> make();

  std::size_t publish(value_ref message, std::string_view topic, std::size_t hash) const;

  /// Adds the publisher to a graph.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;

 private:
  // `deliver_short` of the only bound subscriber. Under a guard.
  [[nodiscard]] bool publish_short(value_ref message, std::string_view topic,
                                   std::size_t hash) const;

  // Under a guard. `by` is null if nobody watches.
  std::size_t publish_unwatched(value_ref message, std::string_view topic, std::size_t hash) const;
  std::size_t publish_watched(value_ref message, std::string_view topic, std::size_t hash,
                              const attachments& by) const;
  std::size_t publish_guarded(value_ref message, std::string_view topic, std::size_t hash,
                              const attachments* by, const trace_start& start) const;
  std::size_t deliver_watched(posting& posted, const attachments& by,
                              const trace_start& start) const;

  /// The handlers of the topic in all bound subscribers, for errors.
  [[nodiscard]] std::string describe_bound(const posting& posted) const;
};

}  // namespace msgbus::sync::detail
