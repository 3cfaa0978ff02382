#include <msgbus/metrics.hpp>

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/observe/handling_times.hpp>
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
using async::detail::component_details;
using async::detail::host_member;
using async::detail::link_stats;
using async::detail::store_stats;
using detail::json_string;
using detail::samples;
using detail::times_table;

/// A component that exists.
struct component_figures {
  component_stats stats;
  component_details details;
  bool is_timed = false;
  std::vector<times_table::figures> waits = {};
  std::vector<times_table::figures> handles = {};
};

void add_times(samples& to, const samples::labels& own, const component_figures& of) {
  if (!of.is_timed) return;
  to.add(detail::oldest_waiting, own, static_cast<std::uint64_t>(of.details.oldest_waiting));
  for (const auto& [names, times, failed] : of.waits) {
    samples::labels with = own;
    with.emplace_back("message", names.message);
    to.add(detail::wait_duration, with, times);
  }
  for (const auto& [names, times, failed] : of.handles) {
    samples::labels with = own;
    with.emplace_back("message", names.message);
    with.emplace_back("handler", names.handler);
    to.add(detail::handle_duration, with, times);
  }
}

void add_component(samples& to, const component_figures& of) {
  const component_stats& each = of.stats;
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
    to.add(detail::handled, with, value);
  }
  to.add(detail::unrouted, own, c.unrouted);
  to.add(detail::overran, own, c.overran);
  to.add(detail::waiting, own, each.waiting);
  to.add(detail::capacity, own, each.capacity);
  to.add(detail::in_flight, own, each.in_flight);
  to.add(detail::scheduled, own, of.details.scheduled);
  add_times(to, own, of);
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

void add_counts(samples& to, const detail::metric& of, const std::string& database,
                const char* label, const store_stats::counts& all) {
  for (const auto& [name, value] : all) {
    to.add(of, {{"database", database}, {label, name}}, value);
  }
}

void add_store(samples& to, const std::string& name, const store_stats& of) {
  add_counts(to, detail::durable_transactions, name, "outcome", of.transactions);
  add_counts(to, detail::durable_messages, name, "outcome", of.messages);
  add_counts(to, detail::durable_commits, name, "at_most", of.commits);
  to.add(detail::durable_in_flight, {{"database", name}}, of.in_flight);
  to.add(detail::durable_dead_letters, {{"database", name}}, of.dead_letters);
  for (const auto& each : of.destinations) {
    const samples::labels own{{"database", name}, {"destination", each.name}};
    to.add(detail::durable_waiting, own, each.waiting);
    to.add(detail::durable_scheduled, own, each.scheduled);
    to.add(detail::durable_oldest, own, each.oldest);
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

void add_letters(samples& to, const std::string& name, const async::dead_letters& letters) {
  const async::dead_letter_counters all = letters.stats();
  to.add(detail::dead_letters, {{"letters", name}}, letters.size());
  const std::array<std::pair<const char*, std::uint64_t>, 4> outcomes{{{"added", all.added},
                                                                       {"replayed", all.replayed},
                                                                       {"discarded", all.discarded},
                                                                       {"dropped", all.dropped}}};
  for (const auto& [outcome, value] : outcomes) {
    to.add(detail::dead_letter_messages, {{"letters", name}, {"outcome", outcome}}, value);
  }
}

void add_member(std::string& to, std::string_view name, const std::string& value) {
  if (!to.ends_with('{')) to += ',';
  to += json_string(name) + ':' + value;
}

void add_element(std::string& list, const std::string& element) {
  if (!list.ends_with('[')) list += ',';
  list += element;
}

std::string json_of(const times_table::figures& of, bool has_handler) {
  std::string made = "{";
  add_member(made, "message", json_string(of.names.message));
  if (has_handler) add_member(made, "handler", json_string(of.names.handler));
  add_member(made, "count", std::to_string(of.times.count()));
  add_member(made, "sum", detail::seconds(of.times.sum));
  std::string buckets = "[";
  for (const std::uint64_t each : of.times.buckets) add_element(buckets, std::to_string(each));
  add_member(made, "buckets", buckets + ']');
  return made + '}';
}

std::string json_of(const std::vector<times_table::figures>& all, bool has_handler) {
  std::string made = "[";
  for (const auto& each : all) add_element(made, json_of(each, has_handler));
  return made + ']';
}

std::string json_of(const component_figures& of) {
  const component_stats& each = of.stats;
  const counters& c = each.counts;
  std::string made = "{";
  add_member(made, "name", json_string(each.name));
  add_member(made, "kind", json_string(each.kind));
  const std::array<std::pair<const char*, std::uint64_t>, 13> figures{
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
       {"in_flight", each.in_flight},
       {"scheduled", of.details.scheduled}}};
  for (const auto& [name, value] : figures) add_member(made, name, std::to_string(value));
  if (!of.is_timed) return made + '}';
  add_member(made, "oldest_waiting_seconds",
             detail::seconds(static_cast<std::uint64_t>(of.details.oldest_waiting)));
  add_member(made, "wait_duration_seconds", json_of(of.waits, false));
  add_member(made, "handle_duration_seconds", json_of(of.handles, true));
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

std::string json_of(const std::string& name, const async::dead_letters& letters) {
  const async::dead_letter_counters all = letters.stats();
  std::string made = "{";
  add_member(made, "name", json_string(name));
  add_member(made, "size", std::to_string(letters.size()));
  add_member(made, "added", std::to_string(all.added));
  add_member(made, "replayed", std::to_string(all.replayed));
  add_member(made, "discarded", std::to_string(all.discarded));
  add_member(made, "dropped", std::to_string(all.dropped));
  return made + '}';
}

std::string json_of(const store_stats::counts& all) {
  std::string made = "{";
  for (const auto& [name, value] : all) add_member(made, name, std::to_string(value));
  return made + '}';
}

std::string json_of(const std::string& name, const store_stats& of) {
  std::string made = "{";
  add_member(made, "name", json_string(name));
  add_member(made, "transactions", json_of(of.transactions));
  add_member(made, "messages", json_of(of.messages));
  add_member(made, "commits", json_of(of.commits));
  add_member(made, "in_flight", std::to_string(of.in_flight));
  add_member(made, "dead_letters", std::to_string(of.dead_letters));
  std::string destinations = "[";
  for (const auto& each : of.destinations) {
    std::string one = "{";
    add_member(one, "name", json_string(each.name));
    add_member(one, "waiting", std::to_string(each.waiting));
    add_member(one, "scheduled", std::to_string(each.scheduled));
    add_member(one, "oldest_seconds", detail::seconds(each.oldest));
    add_element(destinations, one + '}');
  }
  add_member(made, "destinations", destinations + ']');
  return made + '}';
}

/// The bounds of all histograms, once.
std::string bounds_as_json() {
  std::string made = "[";
  for (const std::int64_t each : detail::duration_bounds) {
    add_element(made, detail::seconds(static_cast<std::uint64_t>(each)));
  }
  return made + ']';
}

void check_name(std::string_view name, bool is_there) {
  if (name.empty()) throw error(errc::bad_arguments, "metrics::add needs a name for the object");
  if (is_there) {
    throw error(errc::bad_arguments,
                "metrics have an object named '" + std::string(name) + "' already");
  }
}

}  // namespace

/// The figures that all three formats show.
struct metrics::figures {
  std::vector<component_figures> components;
  named<circuit_breaker> breakers;
  std::vector<std::pair<std::string, link_stats>> links;  // with the name of the bridge
  named<rate_limiter> limiters;
  named<async::dead_letters> letters;
  std::vector<std::pair<std::string, store_stats>> stores;
  bool has_times = false;

  [[nodiscard]] samples as_samples() const {
    samples all;
    for (const auto& each : components) add_component(all, each);
    for (const auto& [bridge, link] : links) add_link(all, bridge, link);
    for (const auto& [name, each] : breakers) add_breaker(all, *each);
    for (const auto& [name, each] : limiters) {
      all.add(detail::limiter_waiting, {{"limiter", name}}, each->waiting());
    }
    for (const auto& [name, each] : letters) add_letters(all, name, *each);
    for (const auto& [name, each] : stores) add_store(all, name, each);
    return all;
  }
};

metrics::metrics(const async::host& host, metrics_options options)
    : options_(options), of_host_(async::detail::host_access::members(host)) {
  (void)read();  // begins to measure
}

metrics::~metrics() = default;

void metrics::add(member added) {
  {
    const std::lock_guard lock(mutex_);
    const auto same = [&](const member& each) { return each->name() == added->name(); };
    check_name(added->name(), std::ranges::any_of(added_, same));
    added_.push_back(std::move(added));
  }
  (void)read();  // begins to measure
}

void metrics::add(std::shared_ptr<const circuit_breaker> breaker) {
  if (!breaker) throw error(errc::bad_arguments, "metrics::add needs a circuit breaker, not null");
  const std::lock_guard lock(mutex_);
  const auto same = [&](const auto& each) { return each->name() == breaker->name(); };
  check_name(breaker->name(), std::ranges::any_of(breakers_, same));
  breakers_.push_back(std::move(breaker));
}

namespace {

template <class T>
void add_named(std::vector<std::pair<std::string, std::shared_ptr<const T>>>& to, std::string name,
               std::shared_ptr<const T> added) {
  if (!added)
    throw error(errc::bad_arguments, "metrics::add needs an object for '" + name + "', not null");
  const auto same = [&](const auto& each) { return each.first == name; };
  check_name(name, std::ranges::any_of(to, same));
  to.emplace_back(std::move(name), std::move(added));
}

}  // namespace

void metrics::add(std::string name, std::shared_ptr<const rate_limiter> limiter) {
  const std::lock_guard lock(mutex_);
  add_named(limiters_, std::move(name), std::move(limiter));
}

void metrics::add(std::string name, std::shared_ptr<const async::dead_letters> letters) {
  const std::lock_guard lock(mutex_);
  add_named(letters_, std::move(name), std::move(letters));
}

std::vector<metrics::member> metrics::all_locked() const {
  std::vector<member> all;
  if (of_host_) all = of_host_();
  for (const member& each : added_) {
    const auto same = [&](const member& other) { return other->name() == each->name(); };
    if (std::ranges::none_of(all, same)) all.push_back(each);  // the host's name comes first
  }
  return all;
}

metrics::figures metrics::read() const {
  figures all;
  const std::lock_guard lock(mutex_);
  all.limiters = limiters_;
  all.letters = letters_;
  for (const auto& each : breakers_) all.breakers.emplace_back(each->name(), each);
  const auto has_gone = [](const auto& each) { return !each.first->exists(); };
  std::erase_if(measured_, has_gone);
  for (const member& each : all_locked()) {
    if (auto store = each->store()) all.stores.emplace_back(each->name(), std::move(*store));
    for (link_stats& link : each->links()) all.links.emplace_back(each->name(), std::move(link));
    std::optional<component_stats> stats = each->stats();
    if (!stats) continue;
    component_figures& added =
        all.components.emplace_back(component_figures{std::move(*stats), each->details()});
    if (!options_.times) continue;
    const auto same = [&](const auto& each_measured) { return each_measured.first == each; };
    auto found = std::ranges::find_if(measured_, same);
    if (found == measured_.end()) {
      found = measured_.emplace(measured_.end(), each, each->measure(options_.sample));
    }
    if (!found->second) continue;
    added.is_timed = all.has_times = true;
    added.waits = found->second->times().waits.read();
    added.handles = found->second->times().handles.read();
  }
  return all;
}

std::string metrics::prometheus() const {
  return read().as_samples().text(detail::exposition::prometheus);
}

std::string metrics::openmetrics() const {
  return read().as_samples().text(detail::exposition::openmetrics);
}

std::string metrics::json() const {
  const figures all = read();
  std::string components = "[";
  for (const auto& each : all.components) add_element(components, json_of(each));
  std::string breakers = "[";
  for (const auto& [name, each] : all.breakers) {
    add_element(breakers, "{\"name\":" + json_string(name) +
                              ",\"state\":" + json_string(state_name(each->current())) + '}');
  }
  std::string links = "[";
  for (const auto& [bridge, link] : all.links) add_element(links, json_of(bridge, link));
  std::string limiters = "[";
  for (const auto& [name, each] : all.limiters) {
    add_element(limiters, "{\"name\":" + json_string(name) +
                              ",\"waiting\":" + std::to_string(each->waiting()) + '}');
  }
  std::string letters = "[";
  for (const auto& [name, each] : all.letters) add_element(letters, json_of(name, *each));
  std::string made = "{";
  add_member(made, "components", components + ']');
  add_member(made, "breakers", breakers + ']');
  add_member(made, "links", links + ']');
  add_member(made, "limiters", limiters + ']');
  add_member(made, "dead_letters", letters + ']');
  if (!all.stores.empty()) {
    std::string stores = "[";
    for (const auto& [name, each] : all.stores) add_element(stores, json_of(name, each));
    add_member(made, "databases", stores + ']');
  }
  if (all.has_times) add_member(made, "bucket_bounds_seconds", bounds_as_json());
  return made + '}';
}

}  // namespace msgbus
