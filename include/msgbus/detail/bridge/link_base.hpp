#pragma once

/// The common part of links, and of inbound links.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/bridge/decode.hpp>
#include <msgbus/detail/bridge/event_types.hpp>
#include <msgbus/detail/bridge/hub.hpp>
#include <msgbus/detail/bridge/link_state.hpp>
#include <msgbus/detail/bridge/settle.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/graph.hpp>
#include <msgbus/transport/codec.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {
struct durable_options;
struct inbound_options;
}  // namespace msgbus

namespace msgbus::bridging {

/// What a link carries besides events, for descriptions.
struct carried {
  std::vector<std::string> topics = {};  // or patterns
  std::vector<detail::wire_type> types = {};
};
[[nodiscard]] std::vector<detail::wire_type> types_of(const std::vector<message_decoder>& all);
[[nodiscard]] graph::channel::message message_of(const detail::wire_type& of, encoding written);

class link_base : public link_state {
 public:
  link_base(std::shared_ptr<hub> over, std::string called, encoding with = encoding::json)
      : hub_(std::move(over)), name_(std::move(called)), written_(with) {}
  [[nodiscard]] bool active() const noexcept override {
    return active_.load(std::memory_order_acquire);
  }
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  /// Whether it is inbound; otherwise it is outbound.
  [[nodiscard]] virtual bool takes_in() const noexcept { return true; }

  /// Adds the link to a graph, between its component and its bridge, which is `over` there.
  virtual void add_to(msgbus::detail::graph_builder& to, const void* over) const = 0;

  /// At the end of the bridge: cancels an outbound link, and completes when its messages have left.
  virtual asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline);

  // Set before the link is shared.
  std::vector<event_type> events;  // empty: a link of messages
  carried messages;
  std::string group;  // or the durable consumer; empty: none

  /// The topics or patterns, with commas.
  [[nodiscard]] std::string all_topics() const;

 protected:
  [[nodiscard]] std::vector<graph::channel> channels(bool sends) const;
  void describe_inbound(msgbus::detail::graph_builder& to, const void* over, const char* direction,
                        const async::detail::component_core& receiver) const;

  [[nodiscard]] bool deactivate() noexcept {
    return active_.exchange(false, std::memory_order_acq_rel);
  }

  using count = std::atomic<std::uint64_t>;
  static void add(count& to) noexcept { to.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] static std::uint64_t read_count(const count& from) noexcept {
    return from.load(std::memory_order_relaxed);
  }

  const std::shared_ptr<hub> hub_;

 private:
  const std::string name_;
  const encoding written_;
  std::atomic<bool> active_{true};
};

/// The description of the component that receives a link's messages.
struct receiving_end {
  std::shared_ptr<async::detail::component_core> component;
  std::vector<message_decoder> decoders;
  bool with_topic = true;  // messages; else events
};

/// Joins one subscription of the transport, or several, to a component (at most once).
[[nodiscard]] std::shared_ptr<link_base> join_inbound(std::shared_ptr<hub> over, receiving_end to,
                                                      const std::vector<std::string>& patterns,
                                                      const inbound_options& options);

/// Joins a durable consumer to a component (at least once).
[[nodiscard]] asio::awaitable<std::shared_ptr<link_base>> join_durable(std::shared_ptr<hub> over,
                                                                       receiving_end to,
                                                                       std::string pattern,
                                                                       durable_options options);

}  // namespace msgbus::bridging
