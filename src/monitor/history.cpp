#include "monitor/history.hpp"

#include <algorithm>
#include <iterator>

namespace msgbus::monitoring {

namespace {

constexpr duration minute = std::chrono::minutes(1);
constexpr duration between_marks = std::chrono::seconds(10);

std::uint64_t more(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

duration_figures more(const duration_figures& now, const duration_figures& before) {
  duration_figures difference;
  for (std::size_t i = 0; i < now.buckets.size(); ++i) {
    difference.buckets[i] = more(now.buckets[i], before.buckets[i]);
  }
  difference.sum = more(now.sum, before.sum);
  return difference;
}

void add(duration_figures& to, const duration_figures& of) {
  for (std::size_t i = 0; i < to.buckets.size(); ++i) to.buckets[i] += of.buckets[i];
  to.sum += of.sum;
}

duration_figures all_of(const std::vector<times_table::figures>& each_series) {
  duration_figures all;
  for (const auto& each : each_series) add(all, each.times);
  return all;
}

std::uint64_t settled(const counters& of) {
  return of.handled + of.failed + of.dropped + of.abandoned;
}

/// The handler of the graph that a series is of; several of one name get a number there.
const graph::handler* find(const graph::component* in, const std::string& handler) {
  if (!in) return nullptr;
  const auto is_it = [&](const graph::handler& each) {
    return handler == each.label || handler.starts_with(each.label + " (");
  };
  const auto found = std::ranges::find_if(in->handlers, is_it);
  return found == in->handlers.end() ? nullptr : &*found;
}

template <class Map, class Key>
auto value_or_zero(const Map& in, const Key& key) {
  const auto found = in.find(key);
  return found == in.end() ? typename Map::mapped_type() : found->second;
}

}  // namespace

std::optional<double> quantile(const duration_figures& of, double part) {
  const std::uint64_t all = of.count();
  if (all == 0) return std::nullopt;
  const auto& bounds = msgbus::detail::duration_bounds;
  const double wanted = part * static_cast<double>(all);
  double so_far = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(of.buckets[i]);
    if (here > 0 && so_far + here >= wanted) {
      const double low = i == 0 ? 0 : static_cast<double>(bounds[i - 1]);
      const double high = static_cast<double>(bounds[i]);
      return low + ((high - low) * std::max(wanted - so_far, 0.0) / here);
    }
    so_far += here;
  }
  return static_cast<double>(bounds.back());
}

std::uint64_t longer_than(const duration_figures& of, std::int64_t bound) {
  std::uint64_t many = of.buckets.back();
  for (std::size_t i = 0; i < msgbus::detail::duration_bounds.size(); ++i) {
    if (msgbus::detail::duration_bounds[i] > bound) many += of.buckets[i];
  }
  return many;
}

std::string_view context_of(std::string_view executor) {
  constexpr std::string_view prefix = "strand of ";
  while (executor.starts_with(prefix)) executor.remove_prefix(prefix.size());
  return executor;
}

component_now history::compare(tracked& with, component_reading now, const reading& in) {
  component_now made;
  const bool is_new = with.marks.empty();
  made.is_new = is_new;
  if (is_new) with.before = now;
  const component_reading& before = with.before;
  const double seconds = is_new ? 0 : in_seconds(in.at - with.at);
  const auto a_second = [&](std::uint64_t after, std::uint64_t earlier) {
    return seconds > 0 ? static_cast<double>(more(after, earlier)) / seconds : 0.0;
  };
  const counters& c = now.stats.counts;
  const counters& b = before.stats.counts;
  made.rates.offered = a_second(c.offered, b.offered);
  made.rates.rejected = a_second(c.rejected, b.rejected);
  made.rates.handled = a_second(c.handled, b.handled);
  made.rates.failed = a_second(c.failed, b.failed);
  made.rates.dropped = a_second(c.dropped, b.dropped);
  made.rates.abandoned = a_second(c.abandoned, b.abandoned);
  made.rates.unrouted = a_second(c.unrouted, b.unrouted);
  made.rates.repeated = a_second(now.details.repeated, before.details.repeated);
  made.came = more(c.accepted, b.accepted);
  made.settled = more(settled(c), settled(b));

  mark current{in.at};
  current.wait = all_of(now.waits);
  current.unrouted = c.unrouted;
  for (const auto& each : now.handles) {
    current.handles[{each.names.message, each.names.handler}] = each.times;
  }
  for (const auto& each : now.breakers) current.breaker_changes[each.name] = each.changes;
  if (is_new) with.marks.push_back(current);
  const mark& old = with.marks.front();

  made.wait = more(current.wait, old.wait);
  made.unrouted = more(c.unrouted, old.unrouted);
  for (const auto& [name, changes] : current.breaker_changes) {
    // A breaker that came later was attached in this minute, and its changes are from then.
    const auto at = old.breaker_changes.find(name);
    made.breaker_changes[name] = at == old.breaker_changes.end() ? 0 : more(changes, at->second);
  }
  const graph::component* const described = in.all.find(now.id);
  std::map<handler_key, run> runs;
  for (const auto& each : now.handles) {
    const handler_key key(each.names.message, each.names.handler);
    handler_now added;
    added.message = each.names.message;
    added.handler = each.names.handler;
    added.calls = each.times.count();
    added.minute = more(each.times, value_or_zero(old.handles, key));
    monitoring::add(made.handle, added.minute);
    for (const auto& earlier : before.handles) {
      if (earlier.names.message == key.first && earlier.names.handler == key.second) {
        added.rate = a_second(added.calls, earlier.times.count());
      }
    }
    added.running = more(each.calls.begun, each.calls.ended);
    const run was = value_or_zero(with.runs, key);
    run is{each.calls.ended, in.at, added.running != 0};
    if (is.is_running && was.is_running && was.ended == is.ended) is.since = was.since;
    added.running_for = in.at - is.since;
    runs.emplace(key, is);
    const graph::handler* const of = find(described, each.names.handler);
    added.is_plain = of && !of->coroutine;
    added.executor = of && !of->executor.empty() ? of->executor : now.executor;
    made.handlers.push_back(std::move(added));
  }
  with.runs = std::move(runs);

  if (in.at - with.marks.back().at >= between_marks) with.marks.push_back(std::move(current));
  while (with.marks.size() > 1 && in.at - with.marks[1].at >= minute) with.marks.pop_front();
  with.before = now;
  with.at = in.at;
  made.is = std::move(now);
  return made;
}

figures_now history::add(reading read) {
  figures_now all;
  for (auto& [name, each] : components_) each.seen = false;
  std::vector<component_reading> components;
  components.swap(read.components);
  for (component_reading& each : components) {
    tracked& with = components_[each.stats.name];
    // Another component of the name: its counts begin anew.
    if (!with.marks.empty() && each.stats.counts.offered < with.before.stats.counts.offered) {
      with = tracked();
    }
    with.seen = true;
    all.components.push_back(compare(with, std::move(each), read));
  }
  std::erase_if(components_, [](const auto& each) { return !each.second.seen; });
  all.is = std::move(read);
  return all;
}

}  // namespace msgbus::monitoring
