// A bridge in a host: its intake ends first, and its remaining messages are sent in its turn.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/bridge/outbound.hpp>
#include <msgbus/detail/observe/graph_builder.hpp>

namespace msgbus {

class bridge::hosted_bridge final : public async::detail::host_member {
 public:
  hosted_bridge(std::string name, const std::shared_ptr<state>& of)
      : host_member(std::move(name), "bridge"), state_(of) {}

  [[nodiscard]] bool exists() const noexcept override { return !state_.expired(); }

  [[nodiscard]] asio::awaitable<drain_report> end_intake(duration deadline) override {
    const std::shared_ptr<state> now = state_.lock();
    return now ? drain_inbound(now, deadline) : nothing();
  }

  [[nodiscard]] asio::awaitable<drain_report> drain(duration deadline) override {
    const std::shared_ptr<state> now = state_.lock();
    return now ? bridge::drain(now, deadline, {}) : nothing();
  }

  void trace(const std::shared_ptr<tracer>& tracer) override {
    if (const std::shared_ptr<state> now = state_.lock()) now->hub->trace(tracer);
  }

  [[nodiscard]] std::vector<async::detail::link_stats> links() const override;
  void describe(detail::graph_builder& to) const override;

 private:
  static asio::awaitable<drain_report> nothing() { co_return drain_report{}; }

  const std::weak_ptr<state> state_;
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
                   {{"waiting", c.waiting}, {"in_flight", c.in_flight}}});
  }
  return all;
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
  for (const auto& each : links) {
    if (each->active()) each->add_to(to, now.get());
  }
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
  receiver.describe_to(to, {});
  to.bind(over, this);
  to.bind(this, &receiver);
}

void describe_outbound(msgbus::detail::graph_builder& to, const void* over, const std::string& name,
                       const async::detail::component_core& own) {
  own.describe_to(to, name);
  graph::component& made = to.component(&own, "link");
  made.kind = "link";
  made.detail = "outbound";
  to.bind(&own, over);
}

}  // namespace msgbus::bridging
