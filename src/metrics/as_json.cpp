// The figures as JSON.

#include "metrics/figures.hpp"
#include "observe/json_writer.hpp"

namespace msgbus {

namespace {

using async::component_stats;
using async::detail::store_stats;
using detail::component_figures;
using detail::json_writer;
using detail::link_figures;
using detail::list_of;
using detail::store_figures;
using detail::times_table;

std::string seconds_of(std::int64_t nanoseconds) {
  return detail::seconds(static_cast<std::uint64_t>(nanoseconds));
}

void add_numbers(json_writer& to, const store_stats::counts& all) {
  for (const auto& [name, value] : all) to.number(name, value);
}

std::string json_of(const store_stats::counts& all) {
  json_writer made('{');
  add_numbers(made, all);
  return made.close('}');
}

std::string json_of(const times_table::figures& of, bool has_handler) {
  json_writer made('{');
  made.text("message", of.names.message);
  if (has_handler) made.text("handler", of.names.handler);
  made.number("count", of.times.count())
      .member("sum", detail::seconds(of.times.sum))
      .member("buckets",
              list_of(of.times.buckets, [](std::uint64_t each) { return std::to_string(each); }));
  return made.close('}');
}

std::string json_of(const std::vector<times_table::figures>& all, bool has_handler) {
  return list_of(all, [&](const times_table::figures& each) { return json_of(each, has_handler); });
}

std::string json_of(const component_figures& of) {
  const component_stats& each = of.stats;
  const counters& c = each.counts;
  json_writer made('{');
  made.text("name", each.name)
      .text("kind", each.kind)
      .number("offered", c.offered)
      .number("accepted", c.accepted)
      .number("rejected", c.rejected)
      .number("handled", c.handled)
      .number("failed", c.failed)
      .number("dropped", c.dropped)
      .number("abandoned", c.abandoned)
      .number("unrouted", c.unrouted)
      .number("overran", c.overran)
      .number("waiting", each.waiting)
      .number("capacity", each.capacity)
      .number("in_flight", each.in_flight)
      .number("scheduled", of.details.scheduled);
  if (of.is_timed) {
    made.member("oldest_waiting_seconds", seconds_of(of.details.oldest_waiting))
        .member("wait_duration_seconds", json_of(of.waits, false))
        .member("handle_duration_seconds", json_of(of.handles, true));
  }
  return made.close('}');
}

std::string json_of(const link_figures& of) {
  json_writer made('{');
  made.text("bridge", of.bridge).text("name", of.stats.name);
  add_numbers(made, of.stats.counts);
  add_numbers(made, of.stats.now);
  return made.close('}');
}

std::string json_of(const std::string& name, const async::dead_letters& letters) {
  const async::dead_letter_counters all = letters.stats();
  json_writer made('{');
  made.text("name", name)
      .number("size", letters.size())
      .number("added", all.added)
      .number("replayed", all.replayed)
      .number("discarded", all.discarded)
      .number("dropped", all.dropped);
  return made.close('}');
}

std::string json_of(const store_stats::destination& each) {
  json_writer made('{');
  made.text("name", each.name)
      .number("waiting", each.waiting)
      .number("scheduled", each.scheduled)
      .member("oldest_seconds", detail::seconds(each.oldest));
  return made.close('}');
}

std::string json_of(const store_figures& of) {
  json_writer made('{');
  made.text("name", of.name)
      .member("transactions", json_of(of.stats.transactions))
      .member("messages", json_of(of.stats.messages))
      .member("commits", json_of(of.stats.commits))
      .number("in_flight", of.stats.in_flight)
      .number("dead_letters", of.stats.dead_letters)
      .member("destinations",
              list_of(of.stats.destinations,
                      [](const store_stats::destination& each) { return json_of(each); }));
  return made.close('}');
}

}  // namespace

std::string metrics::figures::as_json() const {
  const auto breaker = [](const auto& each) {
    json_writer made('{');
    made.text("name", each.first).text("state", state_name(each.second->current()));
    return made.close('}');
  };
  const auto limiter = [](const auto& each) {
    json_writer made('{');
    made.text("name", each.first).number("waiting", each.second->waiting());
    return made.close('}');
  };
  const auto any = [](const auto& each) { return json_of(each); };
  json_writer made('{');
  made.member("components", list_of(components, any))
      .member("breakers", list_of(breakers, breaker))
      .member("links", list_of(links, any))
      .member("limiters", list_of(limiters, limiter))
      .member("dead_letters",
              list_of(letters, [](const auto& each) { return json_of(each.first, *each.second); }));
  if (!stores.empty()) made.member("databases", list_of(stores, any));
  if (!observers.empty()) {
    made.member("observers", list_of(observers, [](const auto& each) {
                  json_writer one('{');
                  one.text("name", each.first);
                  add_numbers(one, detail::steps_of(*each.second));
                  return one.close('}');
                }));
  }
  if (has_times) made.member("bucket_bounds_seconds", list_of(detail::duration_bounds, seconds_of));
  return made.close('}');
}

}  // namespace msgbus
