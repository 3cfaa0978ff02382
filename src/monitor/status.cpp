#include "monitor/status.hpp"

#include <msgbus/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace msgbus::monitoring {

namespace {

using json = nlohmann::ordered_json;

/// Without digits that say nothing.
double rounded(double value, double parts) { return std::round(value * parts) / parts; }
json time_as_json(double time) { return rounded(time, 1000); }
json rate_as_json(double rate) { return rounded(rate, 100); }
json seconds_as_json(double seconds) { return seconds < 1 ? seconds : rounded(seconds, 1000); }
json as_json(duration of) { return seconds_as_json(in_seconds(of)); }

json quantiles(const duration_figures& of) {
  const auto p50 = quantile(of, 0.5);
  const auto p99 = quantile(of, 0.99);
  if (!p50 || !p99) return nullptr;
  return {{"p50", *p50 / 1e9}, {"p99", *p99 / 1e9}};
}

const char* as_text(host_progress of) {
  switch (of) {
    case host_progress::serving: return "serving";
    case host_progress::ending: return "ending";
    case host_progress::ended: break;
  }
  return "ended";
}

json as_json(const failure_entry& of) {
  return {{"id", of.id},
          {"time", time_as_json(of.time)},
          {"component", of.component},
          {"message", of.message},
          {"handler", of.handler},
          {"text", of.text},
          {"repeated", of.repeated}};
}

json as_json(const handler_now& of) {
  return {{"handler", of.handler},
          {"message", of.message},
          {"calls", of.calls},
          {"rate", rate_as_json(of.rate)},
          {"running", of.running},
          {"running_for", as_json(of.running_for)},
          {"handle", quantiles(of.minute)}};
}

const char* state_of(const component_reading& of) {
  if (!of.details.closed) return "open";
  return of.stats.waiting == 0 && of.stats.in_flight == 0 ? "closed" : "draining";
}

json totals(const component_reading& of) {
  const counters& c = of.stats.counts;
  return {{"offered", c.offered},
          {"accepted", c.accepted},
          {"rejected", c.rejected},
          {"handled", c.handled},
          {"failed", c.failed},
          {"dropped", c.dropped},
          {"abandoned", c.abandoned},
          {"unrouted", c.unrouted},
          {"overran", c.overran},
          {"scheduled", c.scheduled},
          {"retries", of.details.repeated}};
}

json rates(const component_now& of) {
  const auto& r = of.rates;
  return {{"offered", rate_as_json(r.offered)},   {"rejected", rate_as_json(r.rejected)},
          {"handled", rate_as_json(r.handled)},   {"failed", rate_as_json(r.failed)},
          {"dropped", rate_as_json(r.dropped)},   {"abandoned", rate_as_json(r.abandoned)},
          {"unrouted", rate_as_json(r.unrouted)}, {"retries", rate_as_json(r.repeated)}};
}

json as_json(const component_now& of) {
  const async::component_stats& stats = of.is.stats;
  json made{{"id", of.is.id},
            {"name", stats.name},
            {"kind", stats.kind},
            {"executor", of.is.executor},
            {"state", state_of(of.is)},
            {"waiting", stats.waiting},
            {"capacity", stats.capacity},
            {"oldest", seconds_as_json(static_cast<double>(std::max<std::int64_t>(
                                           of.is.details.oldest_waiting, 0)) /
                                       1e9)},
            {"in_flight", stats.in_flight},
            {"limit", of.is.details.concurrency},
            {"scheduled", of.is.details.scheduled},
            {"totals", totals(of.is)},
            {"rates", rates(of)},
            {"wait", quantiles(of.wait)},
            {"handle", quantiles(of.handle)}};
  json& breakers = made["breakers"] = json::array();
  for (const breaker_reading& each : of.is.breakers) {
    breakers.push_back({{"name", each.name}, {"state", each.state}});
  }
  made["dead_letters"] = of.is.dead_letters;
  made["blocked_senders"] = of.is.details.blocked_senders;
  made["last_error"] = of.is.last_error ? as_json(*of.is.last_error) : json(nullptr);
  json& handlers = made["handlers"] = json::array();
  for (const handler_now& each : of.handlers) handlers.push_back(as_json(each));
  return made;
}

json as_json(const silent_executor& of, const figures_now& now) {
  json made{{"executor", of.executor},
            {"since", time_as_json(now.is.time - in_seconds(of.silent))},
            {"seconds", as_json(of.silent)},
            {"components", json::array()},
            {"running", json::array()}};
  for (const component_now& each : now.components) {
    if (context_of(each.is.executor) == context_of(of.executor)) {
      made["components"].push_back(each.is.stats.name);
    }
  }
  for (const auto& [component, handler] : running_on(of.executor, now)) {
    made["running"].push_back({{"component", component->is.stats.name},
                               {"message", handler->message},
                               {"handler", handler->handler},
                               {"count", handler->running},
                               {"seconds", as_json(handler->running_for)}});
  }
  return made;
}

json as_json(const graph::component& of, bool is_hosted) {
  return {{"id", of.id},
          {"name", of.name},
          {"kind", of.kind},
          {"family", of.family},
          {"executor", of.executor},
          {"detail", of.detail},
          {"hosted", is_hosted},
          {"handlers", of.handlers.size()}};
}

json as_json(const edge_now& of) {
  return {{"from", of.is.from},
          {"to", of.is.to},
          {"group", of.is.group},
          {"pick", of.is.pick},
          {"messages", of.messages},
          {"received", of.received},
          {"shared", of.shared},
          {"offered", of.offered},
          {"failed", of.failed},
          {"offered_rate", rate_as_json(of.offered_rate)},
          {"failed_rate", rate_as_json(of.failed_rate)}};
}

json as_json(const link_reading& of) {
  json made{{"bridge", of.bridge},
            {"name", of.link.name},
            {"totals", json::object()},
            {"now", json::object()}};
  for (const auto& [name, value] : of.link.counts) made["totals"][name] = value;
  for (const auto& [name, value] : of.link.now) made["now"][name] = value;
  return made;
}

json as_json(const letters_reading& of, bool allow_actions) {
  json made{{"kept", of.kept},
            {"added", of.counts.added},
            {"replayed", of.counts.replayed},
            {"discarded", of.counts.discarded},
            {"dropped", of.counts.dropped},
            {"letters", json::array()}};
  for (const letter_reading& each : of.newest) {
    const double time = std::chrono::duration<double>(each.letter.at.time_since_epoch()).count();
    made["letters"].push_back(
        {{"id", each.id},
         {"component", each.component},
         {"handler", each.letter.handler},
         {"message", each.letter.message},
         {"reason", each.letter.reason},
         {"attempts", each.letter.attempts},
         {"time", time_as_json(std::max(time, 0.0))},
         {"replayable", allow_actions && !each.component.empty() && !each.replaying},
         {"replaying", each.replaying}});
  }
  return made;
}

/// Names are whatever bytes the program has given.
std::string text_of(const json& made) {
  return made.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> messages_of(const graph::component& receiver) {
  std::vector<std::string> all;
  for (const graph::handler& each : receiver.handlers) {
    const auto& names = each.patterns.empty() ? each.messages : each.patterns;
    for (const std::string& name : names) {
      if (std::ranges::find(all, name) == all.end()) all.push_back(name);
    }
  }
  return all;
}

}  // namespace

std::vector<edge_now> edges_of(const figures_now& now) {
  std::map<std::string, const component_now*> by_id;
  for (const component_now& each : now.components) by_id.emplace(each.is.id, &each);
  std::map<std::string, std::size_t> senders;
  std::map<std::string, bool> sends;
  for (const graph::binding& each : now.is.all.bindings) {
    ++senders[each.to];
    sends[each.from] = true;
  }
  std::map<std::string, const graph::component*> described;
  for (const graph::component& each : now.is.all.components) described.emplace(each.id, &each);
  std::vector<edge_now> all;
  for (const graph::binding& each : now.is.all.bindings) {
    edge_now added;
    added.is = each;
    added.shared = senders[each.to] > 1;
    if (const auto to = described.find(each.to); to != described.end()) {
      const bool handles = !to->second->family.empty();  // a bridge or a link takes what it gets
      added.messages = messages_of(*to->second);
      added.received = !handles || !to->second->handlers.empty();
    }
    if (const auto of = by_id.find(each.to); of != by_id.end()) {
      const component_now& to = *of->second;
      added.offered = to.is.stats.counts.offered;
      added.failed = to.is.stats.counts.failed;
      added.offered_rate = to.rates.offered;
      added.failed_rate = to.rates.failed;
      const bool none_routed = to.rates.unrouted > 0 && to.rates.unrouted >= to.rates.offered;
      added.received = added.received && !none_routed;
    }
    all.push_back(std::move(added));
  }
  for (const graph::component& each : now.is.all.components) {
    const bool is_sender = each.kind == "producer" || each.kind == "publisher";
    if (!is_sender || sends.contains(each.id)) continue;
    edge_now added;
    added.is.from = each.id;
    added.received = false;
    all.push_back(std::move(added));
  }
  return all;
}

std::string status_json(const status_facts& facts, const figures_now& now,
                        const std::vector<warning>& warnings) {
  json made{{"version", 1},
            {"msgbus", version_string()},
            {"title", facts.title},
            {"time", time_as_json(now.is.time)},
            {"since", time_as_json(facts.since)},
            {"interval", in_seconds(facts.interval)},
            {"allow_actions", facts.allow_actions},
            {"state", as_text(now.is.progress)}};
  for (const char* const each :
       {"stalled", "components", "nodes", "edges", "links", "warnings", "failures"}) {
    made[each] = json::array();
  }
  for (const auto& each : now.is.silent) made["stalled"].push_back(as_json(each, now));
  for (const auto& each : now.components) made["components"].push_back(as_json(each));
  const std::set<std::string_view> hosted(now.is.hosted.begin(), now.is.hosted.end());
  for (const auto& each : now.is.all.components) {
    made["nodes"].push_back(as_json(each, hosted.contains(each.id)));
  }
  for (const edge_now& each : edges_of(now)) made["edges"].push_back(as_json(each));
  for (const auto& each : now.is.links) made["links"].push_back(as_json(each));
  for (const warning& each : warnings) {
    made["warnings"].push_back({{"kind", each.kind},
                                {"component", each.component},
                                {"text", each.text},
                                {"since", time_as_json(each.since)}});
  }
  for (const auto& each : now.is.failures) made["failures"].push_back(as_json(each));
  made["dead_letters"] = as_json(now.is.letters, facts.allow_actions);
  return text_of(made);
}

std::string error_json(const std::string& text) { return text_of(json{{"error", text}}); }

std::string accepted_json(std::size_t many) { return text_of(json{{"accepted", many}}); }

std::optional<std::vector<std::string>> ids_in(const std::string& text) {
  const json given = json::parse(text, nullptr, false);
  if (!given.is_object()) return std::nullopt;
  const auto ids = given.find("ids");
  if (ids == given.end() || !ids->is_array()) return std::nullopt;
  std::vector<std::string> all;
  for (const json& each : *ids) {
    if (!each.is_string()) return std::nullopt;
    all.push_back(each.get<std::string>());
  }
  return all;
}

}  // namespace msgbus::monitoring
