#include "monitor/warnings.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace msgbus::monitoring {

namespace {

constexpr duration patience = std::chrono::seconds(10);
constexpr std::int64_t longest_block = 100'000'000;  // nanoseconds; a bound of the histograms
constexpr std::uint64_t flapping = 4;                // changes in a minute

std::string time_text(double seconds) {
  std::array<char, 32> text{};
  const char* const form = seconds < 1 ? "%.0f ms" : "%.1f s";
  const int size =
      std::snprintf(text.data(), text.size(), form, seconds < 1 ? seconds * 1000 : seconds);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string quoted(const std::string& name) { return '"' + name + '"'; }

/// `"a", "b" and 3 more`
std::string list_of(const std::vector<std::string>& names, std::size_t most = 3) {
  std::string all;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    all += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > most) all += " and " + std::to_string(names.size() - most) + " more";
  return all;
}

bool is_full(const component_reading& of) {
  return of.stats.capacity != 0 && of.stats.waiting * 10 > of.stats.capacity * 8;
}

/// The handler that most of the time was spent in.
const handler_now* slowest(const component_now& of) {
  const auto most = std::ranges::max_element(
      of.handlers, {}, [](const handler_now& each) { return each.minute.sum; });
  return most == of.handlers.end() ? nullptr : &*most;
}

}  // namespace

std::vector<running_handler> running_on(const std::string& executor, const figures_now& now) {
  std::vector<running_handler> all;
  for (const component_now& component : now.components) {
    for (const handler_now& each : component.handlers) {
      if (each.running == 0) continue;
      if (context_of(each.executor) == context_of(executor)) all.push_back({&component, &each});
    }
  }
  std::ranges::sort(all, {}, [](const running_handler& each) {
    return std::tuple(-each.handler->running_for, std::string_view(each.component->is.stats.name),
                      std::string_view(each.handler->handler));
  });
  return all;
}

const warning_rules::period& warning_rules::goes_on(const subject& key, const figures_now& now,
                                                    std::size_t waiting) {
  const auto [at, is_new] =
      periods_.try_emplace(key, period{now.is.at, now.is.time, waiting, true});
  at->second.seen = true;
  return at->second;
}

void warning_rules::add(const char* kind, std::string component, const std::string& further,
                        std::string text, const figures_now& now) {
  const period& since = goes_on({kind, component, further}, now);
  found_.push_back({kind, std::move(component), std::move(text), since.time});
}

void warning_rules::look_at_executors(const figures_now& now) {
  for (const silent_executor& each : now.is.silent) {
    std::vector<std::string> names;
    for (const running_handler& one : running_on(each.executor, now)) {
      names.push_back(one.handler->handler + " of " + quoted(one.component->is.stats.name));
    }
    std::string text =
        each.executor + " has run no function for " + time_text(in_seconds(each.silent));
    text += names.empty() ? ": no measured handler is running there, so it has no thread, or other "
                            "work keeps its threads"
                          : ": it runs " + list_of(names);
    add("stalled_executor", {}, each.executor, std::move(text), now);
    found_.back().since = now.is.time - in_seconds(each.silent);
  }
}

void warning_rules::look_at_mailbox(const component_now& at, const figures_now& now) {
  if (!is_full(at.is)) return;
  const auto& stats = at.is.stats;
  const period& since = goes_on({"mailbox_full", stats.name, {}}, now);
  if (now.is.at - since.from < patience) return;
  add("mailbox_full", stats.name, {},
      "its mailbox has been over 80 % full for " + time_text(in_seconds(now.is.at - since.from)) +
          ": " + std::to_string(stats.waiting) + " of " + std::to_string(stats.capacity),
      now);
}

void warning_rules::look_at_pace(const component_now& at, const figures_now& now) {
  const auto& stats = at.is.stats;
  const bool is_behind = at.came > at.settled || at.is.details.blocked_senders != 0;
  if (at.is_new || stats.in_flight == 0 || stats.waiting == 0 || !is_behind) return;
  const period& since = goes_on({"slow_handler", stats.name, {}}, now, stats.waiting);
  const bool has_grown = stats.waiting > since.waiting || at.is.details.blocked_senders != 0;
  if (now.is.at - since.from < patience || !has_grown) return;
  std::string text = "its messages come faster than they are handled, for " +
                     time_text(in_seconds(now.is.at - since.from)) + ": " +
                     std::to_string(stats.waiting) + " wait";
  const handler_now* const of = slowest(at);
  if (of) {
    text += "; most of the time is spent in " + of->handler;
    if (const auto p50 = quantile(of->minute, 0.5)) {
      text += ", whose calls take " + time_text(*p50 / 1e9) + " (p50)";
    }
  }
  add("slow_handler", stats.name, {}, std::move(text), now);
}

void warning_rules::look_at_routes(const component_now& at, const figures_now& now) {
  if (at.unrouted == 0) return;
  std::string text = std::to_string(at.unrouted) + (at.unrouted == 1 ? " message" : " messages") +
                     " without a handler in the last minute";
  if (!at.is.unrouted.empty()) text += ": " + list_of(at.is.unrouted);
  add("unrouted", at.is.stats.name, {}, std::move(text), now);
}

void warning_rules::look_at_threads(const component_now& at, const figures_now& now) {
  for (const handler_now& each : at.handlers) {
    if (!each.is_plain) continue;
    std::set<std::string> others;
    for (const graph::component& other : now.is.all.components) {
      const bool is_there = !other.executor.empty() && other.id != at.is.id &&
                            context_of(other.executor) == context_of(each.executor);
      if (is_there) others.insert(other.name.empty() ? other.label() : quoted(other.name));
    }
    if (others.empty()) continue;
    const std::uint64_t many = longer_than(each.minute, longest_block);
    const bool runs = each.running_for >= std::chrono::nanoseconds(longest_block);
    if (many == 0 && !runs) continue;
    std::string text = each.handler + " is no coroutine, and ";
    text += runs ? "has been running for " + time_text(in_seconds(each.running_for))
                 : "took longer than 100 ms " + std::to_string(many) +
                       (many == 1 ? " time" : " times") + " in the last minute";
    text += "; it keeps a thread of " + std::string(context_of(each.executor)) + " from " +
            list_of({others.begin(), others.end()});
    add("blocked_executor", at.is.stats.name, each.handler + each.message, std::move(text), now);
  }
}

void warning_rules::look_at_breakers(const component_now& at, const figures_now& now) {
  for (const auto& [name, changes] : at.breaker_changes) {
    if (changes < flapping) continue;
    add("flapping_breaker", at.is.stats.name, name,
        "the circuit breaker " + quoted(name) + " has changed its state " +
            std::to_string(changes) + " times in the last minute",
        now);
  }
}

void warning_rules::look_at_graph(const figures_now& now) {
  const std::set<std::string> hosted(now.is.hosted.begin(), now.is.hosted.end());
  for (const graph::component& each : now.is.all.components) {
    const bool has_mailbox = each.family == "async" && each.capacity != 0;
    if (!has_mailbox || hosted.contains(each.id)) continue;
    add("undrained", each.name, each.name.empty() ? each.id : std::string(),
        each.label() + " is bound to others, and is not in the host, so the host cannot drain it",
        now);
  }
}

std::vector<warning> warning_rules::add(const figures_now& now) {
  found_.clear();
  for (auto& [key, each] : periods_) each.seen = false;
  look_at_executors(now);
  for (const component_now& each : now.components) {
    look_at_mailbox(each, now);
    look_at_pace(each, now);
    look_at_routes(each, now);
    look_at_threads(each, now);
    look_at_breakers(each, now);
  }
  look_at_graph(now);
  std::erase_if(periods_, [](const auto& each) { return !each.second.seen; });
  std::ranges::sort(found_, {}, [](const warning& each) {
    return std::tuple(each.since, std::string_view(each.kind), std::string_view(each.component),
                      std::string_view(each.text));
  });
  return std::move(found_);
}

}  // namespace msgbus::monitoring
