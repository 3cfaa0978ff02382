#pragma once

/// Outbound links: the bridge has a component that is bound to the sender; its handlers pass
/// messages to the transport.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/component/base.hpp>
#include <msgbus/topic.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <string>
#include <utility>

namespace msgbus::bridging {

/// The format of a link's messages.
struct writing {
  msgbus::encoding encoding;
  header_form form;
  std::string source;
};

/// The outbound path. Handlers own it, so it does not refer to the link. Thread-safe.
class outbound_sender {
 public:
  /// `topics` is what metrics call its topics together.
  outbound_sender(std::shared_ptr<hub> over, writing format, std::string topics)
      : hub_(std::move(over)), format_(std::move(format)), topics_(std::move(topics)) {}

  /// Passes a message to the transport. Throws the transport's errors.
  void send(std::string_view topic, msgbus::detail::encoded made, std::string_view type,
            const context& ctx);
  /// Counts a message that could not be encoded.
  void not_sent() noexcept { unsent_.fetch_add(1, std::memory_order_relaxed); }

  template <class M>
  void send_message(const M& message, std::string_view topic, const context& ctx) {
    send(topic, encoded<M>(message), name_of<M>, ctx);
  }

  [[nodiscard]] link_counters stats() const noexcept;

 private:
  template <class M>
  [[nodiscard]] msgbus::detail::encoded encoded(const M& message) {
    try {
      return msgbus::detail::encode<M>(message, format_.encoding);
    } catch (...) {
      not_sent();
      throw;
    }
  }

  const std::shared_ptr<hub> hub_;
  const writing format_;
  const std::string topics_;
  std::atomic<measured_operation*> times_{nullptr};  // null: none was measured
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> unsent_{0};
};

/// Adds an outbound link to a graph; `own` is its component.
void describe_outbound(msgbus::detail::graph_builder& to, const void* over, const std::string& name,
                       const async::detail::component_core& own,
                       std::vector<graph::channel> channels);

/// Owns the component, which is bound to the sender until the link is cancelled.
template <class Component>
class outbound_link final : public link_base {
 public:
  outbound_link(const std::shared_ptr<hub>& over, const std::string& topics,
                const mailbox_options& mailbox, writing format)
      : link_base(over, "outbound " + topics, format.encoding),
        way(std::make_shared<outbound_sender>(over, std::move(format), topics)),
        component(over->executor(), mailbox) {
    // The handlers never suspend. So messages that are sent on the bridge's executor need not wait
    // here.
    component::core_access::of(component)->mailbox.allow_handling_by_senders();
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    component::core_access::of(component)->senders.drop_all();
    component.close();
  }

  [[nodiscard]] link_counters stats() const noexcept override {
    link_counters all = way->stats();
    all.waiting = component.waiting();
    return all;
  }

  [[nodiscard]] bool takes_in() const noexcept override { return false; }
  asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline) override {
    cancel();
    return component.drain(deadline);
  }

  void add_to(msgbus::detail::graph_builder& to, const void* over) const override {
    describe_outbound(to, over, name(), *component::core_access::of(component), channels(true));
  }

  const std::shared_ptr<outbound_sender> way;
  Component component;
};

template <class... Ms>
std::shared_ptr<outbound_link<async::subscriber>> make_outbound(const std::shared_ptr<hub>& over,
                                                                std::string_view pattern,
                                                                const mailbox_options& mailbox,
                                                                writing format) {
  auto made = std::make_shared<outbound_link<async::subscriber>>(over, std::string(pattern),
                                                                 mailbox, std::move(format));
  made->messages = {{std::string(pattern)}, {detail::wire_type_of<Ms>...}};
  // One handler for all types: a message that converts to several of them is sent once (T5, T8).
  auto out = [way = made->way]<class M>(const M& message, const context& ctx) {
    way->send_message<M>(message, ctx.topic(), ctx);
  };
  made->component.template subscribe<Ms...>(pattern, std::move(out));
  return made;
}

/// Without duplicate types.
template <class... Es>
std::shared_ptr<outbound_link<async::consumer>> make_outbound_events(
    const std::shared_ptr<hub>& over, const std::string& prefix, const mailbox_options& mailbox,
    writing format, type_list<Es...> types) {
  auto made = std::make_shared<outbound_link<async::consumer>>(over, prefix + ".>", mailbox,
                                                               std::move(format));
  made->events = event_types_of(prefix, types);
  const auto add = [&]<class E>(std::type_identity<E>) {
    auto out = [way = made->way, topic = event_topic(prefix, name_of<E>)](
                   const E& event, const context& ctx) { way->send_message<E>(event, topic, ctx); };
    made->component.template handler<E>(std::move(out));
  };
  (add(std::type_identity<Es>{}), ...);
  return made;
}

}  // namespace msgbus::bridging
