// A bridge in a host: its intake ends first, and its remaining messages are sent in its turn.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/bridge/outbound.hpp>

#include "observe/graph_builder.hpp"

#include <algorithm>

namespace msgbus {

namespace bridging {
// Its operations are known when they are called.
static void describe_remote(detail::graph_builder& to, const void* over,
                            const remote_prefix& called);
}  // namespace bridging

class bridge::hosted_bridge final : public async::detail::host_member {
 public:
  hosted_bridge(std::string name, const std::shared_ptr<state>& of)
      : host_member(std::move(name), "bridge"), state_(of) {}

  [[nodiscard]] bool exists() const noexcept override { return !state_.expired(); }

  [[nodiscard]] asio::awaitable<drain_report> end_intake(duration deadline) override {
    const std::shared_ptr<state> now = state_.lock();
    if (!now) return nothing();
    if (before_.empty()) before_ = count_inbound(*now);
    return drain_inbound_only(now, deadline);
  }

  [[nodiscard]] asio::awaitable<drain_report> drain(duration deadline) override {
    const std::shared_ptr<state> now = state_.lock();
    return now ? bridge::drain(now, deadline, {}, before_) : nothing();
  }

  void trace(const std::shared_ptr<tracer>& tracer) override {
    if (const std::shared_ptr<state> now = state_.lock()) now->hub->trace(tracer);
  }

  [[nodiscard]] std::vector<async::detail::link_stats> links() const override;
  [[nodiscard]] std::vector<async::detail::operation_times> operations() const override;
  [[nodiscard]] std::shared_ptr<const void> measure_operations() override;
  void describe(detail::graph_builder& to) const override;

 private:
  static asio::awaitable<drain_report> nothing() { co_return drain_report{}; }
  /// The report of `drain`, which follows, has all: what is left may be settled until then.
  static asio::awaitable<drain_report> drain_inbound_only(std::shared_ptr<state> of,
                                                          duration deadline) {
    auto draining = drain_inbound(std::move(of), deadline, {});
    (void)co_await std::move(draining);
    co_return drain_report{};
  }

  const std::weak_ptr<state> state_;
  inbound_counters before_;  // when the intake ended
};

std::vector<async::detail::link_stats> bridge::hosted_bridge::links() const {
  std::vector<async::detail::link_stats> all;
  const std::shared_ptr<state> now = state_.lock();
  if (!now) return all;
  const std::lock_guard lock(now->mutex);
  for (const auto& each : now->links) {
    const link_counters c = each->stats();
    all.push_back({each->name(),
                   {{"sent", c.sent},
                    {"unsent", c.unsent},
                    {"received", c.received},
                    {"redelivered", c.redelivered},
                    {"admitted", c.admitted},
                    {"undecodable", c.undecodable},
                    {"refused", c.refused},
                    {"dropped", c.dropped},
                    {"answered", c.answered},
                    {"errors", c.errors},
                    {"acks", c.acks},
                    {"naks", c.naks},
                    {"dead_lettered", c.dead_lettered},
                    {"unsettled", c.unsettled},
                    {"shortened", c.shortened},
                    {"replayed", c.replayed}},
                   {{"waiting", c.waiting}, {"in_flight", c.in_flight}},
                   now->hub->wire->system(),
                   !each->takes_in(),
                   each->all_topics(),
                   each->group});
  }
  return all;
}

std::vector<async::detail::operation_times> bridge::hosted_bridge::operations() const {
  std::vector<async::detail::operation_times> all;
  const std::shared_ptr<state> now = state_.lock();
  if (!now) return all;
  for (const bridging::measured_operation* const each : now->hub->operations()) {
    all.push_back({now->hub->wire->system(), each->name, each->destination, each->ended.read(),
                   each->failed.read()});
  }
  return all;
}

std::shared_ptr<const void> bridge::hosted_bridge::measure_operations() {
  const std::shared_ptr<state> now = state_.lock();
  return now ? bridging::hub::measure(now->hub) : nullptr;
}

void bridge::hosted_bridge::describe(detail::graph_builder& to) const {
  const std::shared_ptr<state> now = state_.lock();
  if (!now) return;
  std::vector<std::shared_ptr<bridging::link_base>> links;
  {
    const std::lock_guard lock(now->mutex);
    auto& made = to.component(now.get(), "bridge");
    made.closed = now->closed;
    if (made.name.empty()) made.name = name();
    links = now->links;
  }
  if (!to.describe(now.get())) return;
  to.component(now.get(), "bridge").servers = now->hub->wire->servers();
  for (const auto& each : links) {
    if (each->active()) each->add_to(to, now.get());
  }
  for (const auto& each : now->hub->remote_services())
    bridging::describe_remote(to, now.get(), *each);
}

detail::describer bridge::describer() const {
  return [of = std::weak_ptr<state>(state_)](detail::graph_builder& to, std::string_view name) {
    if (const auto now = of.lock()) hosted_bridge(std::string(name), now).describe(to);
  };
}

std::shared_ptr<async::detail::host_member> bridge::hosted(std::string name) const {
  return std::make_shared<hosted_bridge>(std::move(name), state_);
}

}  // namespace msgbus

namespace msgbus::bridging {

// Links in a graph: each stands between its component and its bridge.

void link_base::describe_inbound(msgbus::detail::graph_builder& to, const void* over,
                                 const char* direction,
                                 const async::detail::component_core& receiver) const {
  graph::component& made = to.component(this, "link");
  made.name = name();
  made.detail = direction;
  made.channels = channels(false);
  receiver.describe_to(to, {});
  to.bind(over, this);
  to.bind(this, &receiver);
}

void describe_outbound(msgbus::detail::graph_builder& to, const void* over, const std::string& name,
                       const async::detail::component_core& own,
                       std::vector<graph::channel> channels) {
  own.describe_to(to, name);
  graph::component& made = to.component(&own, "link");
  made.kind = "link";
  made.detail = "outbound";
  made.channels = std::move(channels);
  to.bind(&own, over);
}

std::vector<msgbus::detail::wire_type> types_of(const std::vector<message_decoder>& all) {
  std::vector<msgbus::detail::wire_type> types;
  types.reserve(all.size());
  for (const message_decoder& each : all) types.push_back({each.type, each.content_type});
  return types;
}

graph::channel::message message_of(const msgbus::detail::wire_type& of, encoding written) {
  graph::channel::message made{.name = std::string(of.name)};
  if (of.content_type) made.content_type = of.content_type(written);
  return made;
}

std::string link_base::all_topics() const {
  std::string all;
  for (const std::string& each : events.empty() ? messages.topics : topics_of(events)) {
    all += (all.empty() ? "" : ",") + each;
  }
  return all;
}

std::vector<graph::channel> link_base::channels(bool sends) const {
  std::vector<graph::channel> all;
  for (const std::string& each : messages.topics) {
    if (!events.empty()) break;
    graph::channel& added = all.emplace_back();
    added.topic = each;
    for (const auto& type : messages.types) added.messages.push_back(message_of(type, written_));
  }
  for (const event_type& each : events) {
    const auto made = message_of({each.name, each.content_type}, written_);
    const auto found = std::ranges::find(all, each.topic, &graph::channel::topic);
    if (found != all.end()) {
      found->messages.push_back(made);
    } else {
      all.push_back({.topic = each.topic, .messages = {made}});
    }
  }
  for (graph::channel& each : all) each.sends = sends;
  return all;
}

void describe_remote(msgbus::detail::graph_builder& to, const void* over,
                     const remote_prefix& called) {
  graph::component& made = to.component(&called, "remote_service");
  made.name = called.prefix;
  made.detail = "calls commands";
  made.channels = {{.topic = called.prefix + ".*", .sends = true, .calls = true}};
  to.bind(&called, over);
}

}  // namespace msgbus::bridging
