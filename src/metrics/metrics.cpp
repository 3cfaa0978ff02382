#include <msgbus/metrics.hpp>

#include <msgbus/error.hpp>

#include "metrics/prometheus.hpp"
#include "observe/escape.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace msgbus {

namespace {

using async::component_stats;
using async::detail::host_member;
using async::detail::link_stats;
using detail::json_string;
using detail::samples;

void add_component(samples& to, const component_stats& each) {
  const counters& c = each.counts;
  const samples::labels own{{"component", each.name}, {"kind", each.kind}};
  to.add(detail::offered, own, c.offered);
  to.add(detail::rejected, own, c.rejected);
  const std::array<std::pair<const char*, std::uint64_t>, 4> outcomes{{{"handled", c.handled},
                                                                       {"failed", c.failed},
                                                                       {"dropped", c.dropped},
                                                                       {"abandoned", c.abandoned}}};
  for (const auto& [outcome, value] : outcomes) {
    samples::labels with = own;
    with.emplace_back("outcome", outcome);
    to.add(detail::handled, std::move(with), value);
  }
  to.add(detail::unrouted, own, c.unrouted);
  to.add(detail::overran, own, c.overran);
  to.add(detail::waiting, own, each.waiting);
  to.add(detail::capacity, own, each.capacity);
  to.add(detail::in_flight, own, each.in_flight);
}

void add_link(samples& to, const std::string& bridge, const link_stats& link) {
  for (const auto& [outcome, value] : link.counts) {
    to.add(detail::link_messages, {{"bridge", bridge}, {"link", link.name}, {"outcome", outcome}},
           value);
  }
  for (const auto& [state, value] : link.now) {
    to.add(detail::link_now, {{"bridge", bridge}, {"link", link.name}, {"state", state}}, value);
  }
}

void add_breaker(samples& to, const circuit_breaker& breaker) {
  using enum circuit_breaker::state;
  const circuit_breaker::state now = breaker.current();
  for (const auto state : {closed, open, half_open, isolated}) {
    to.add(detail::breaker_state,
           {{"breaker", breaker.name()}, {"state", std::string(state_name(state))}},
           state == now ? 1 : 0);
  }
}

samples samples_of(const std::vector<std::shared_ptr<host_member>>& members,
                   const std::vector<std::shared_ptr<const circuit_breaker>>& breakers) {
  samples all;
  for (const auto& each : members) {
    if (const std::optional<component_stats> stats = each->stats()) add_component(all, *stats);
  }
  for (const auto& each : members) {
    for (const link_stats& link : each->links()) add_link(all, each->name(), link);
  }
  for (const auto& each : breakers) add_breaker(all, *each);
  return all;
}

void add_member(std::string& to, std::string_view name, const std::string& value) {
  if (!to.ends_with('{')) to += ',';
  to += json_string(name) + ':' + value;
}

std::string json_of(const component_stats& each) {
  const counters& c = each.counts;
  std::string made = "{";
  add_member(made, "name", json_string(each.name));
  add_member(made, "kind", json_string(each.kind));
  const std::array<std::pair<const char*, std::uint64_t>, 12> figures{
      {{"offered", c.offered},
       {"accepted", c.accepted},
       {"rejected", c.rejected},
       {"handled", c.handled},
       {"failed", c.failed},
       {"dropped", c.dropped},
       {"abandoned", c.abandoned},
       {"unrouted", c.unrouted},
       {"overran", c.overran},
       {"waiting", each.waiting},
       {"capacity", each.capacity},
       {"in_flight", each.in_flight}}};
  for (const auto& [name, value] : figures) add_member(made, name, std::to_string(value));
  return made + '}';
}

std::string json_of(const std::string& bridge, const link_stats& link) {
  std::string made = "{";
  add_member(made, "bridge", json_string(bridge));
  add_member(made, "name", json_string(link.name));
  for (const auto& [name, value] : link.counts) add_member(made, name, std::to_string(value));
  for (const auto& [name, value] : link.now) add_member(made, name, std::to_string(value));
  return made + '}';
}

void add_element(std::string& list, const std::string& element) {
  if (!list.ends_with('[')) list += ',';
  list += element;
}

void check_name(std::string_view name, bool is_there) {
  if (name.empty()) throw error(errc::bad_arguments, "metrics were given something without a name");
  if (is_there) {
    throw error(errc::bad_arguments,
                "metrics have something named '" + std::string(name) + "' already");
  }
}

}  // namespace

void metrics::add(member added) {
  const std::lock_guard lock(mutex_);
  const auto same = [&](const member& each) { return each->name() == added->name(); };
  check_name(added->name(), std::ranges::any_of(added_, same));
  added_.push_back(std::move(added));
}

void metrics::add(std::shared_ptr<const circuit_breaker> breaker) {
  if (!breaker) throw error(errc::bad_arguments, "metrics were given no circuit breaker");
  const std::lock_guard lock(mutex_);
  const auto same = [&](const auto& each) { return each->name() == breaker->name(); };
  check_name(breaker->name(), std::ranges::any_of(breakers_, same));
  breakers_.push_back(std::move(breaker));
}

std::vector<metrics::member> metrics::all() const {
  std::vector<member> all;
  if (of_host_) all = of_host_();
  const std::lock_guard lock(mutex_);
  for (const member& each : added_) {
    const auto same = [&](const member& other) { return other->name() == each->name(); };
    if (std::ranges::none_of(all, same)) all.push_back(each);  // the host's name comes first
  }
  return all;
}

std::vector<std::shared_ptr<const circuit_breaker>> metrics::breakers() const {
  const std::lock_guard lock(mutex_);
  return breakers_;
}

std::string metrics::prometheus() const {
  return samples_of(all(), breakers()).text(detail::exposition::prometheus);
}

std::string metrics::openmetrics() const {
  return samples_of(all(), breakers()).text(detail::exposition::openmetrics);
}

std::string metrics::json() const {
  std::string components = "[";
  std::string links = "[";
  for (const member& each : all()) {
    if (const auto stats = each->stats()) add_element(components, json_of(*stats));
    for (const link_stats& link : each->links()) add_element(links, json_of(each->name(), link));
  }
  std::string states = "[";
  for (const auto& each : breakers()) {
    add_element(states, "{\"name\":" + json_string(each->name()) +
                            ",\"state\":" + json_string(state_name(each->current())) + '}');
  }
  return "{\"components\":" + components + "],\"breakers\":" + states + "],\"links\":" + links +
         "]}";
}

}  // namespace msgbus
