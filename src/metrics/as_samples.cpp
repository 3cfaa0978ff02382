// The figures for Prometheus.

#include "metrics/figures.hpp"

#include <array>

namespace msgbus {

namespace {

namespace metric_table = detail::metric_table;

using async::component_stats;
using async::detail::store_stats;
using detail::component_figures;
using detail::duration_figures;
using detail::link_figures;
using detail::operation_figures;
using detail::samples;
using detail::store_figures;

void add_times(samples& to, const samples::labels& own, const component_figures& of) {
  if (!of.is_timed) return;
  to.add(metric_table::oldest_waiting, own, static_cast<std::uint64_t>(of.details.oldest_waiting));
  for (const auto& [names, times, failed] : of.waits) {
    samples::labels with = own;
    with.emplace_back("message", names.message);
    to.add(metric_table::wait_duration, with, times);
  }
  for (const auto& [names, times, failed] : of.handles) {
    samples::labels with = own;
    with.emplace_back("message", names.message);
    with.emplace_back("handler", names.handler);
    to.add(metric_table::handle_duration, with, times);
  }
}

void add_component(samples& to, const component_figures& of) {
  const component_stats& each = of.stats;
  const counters& c = each.counts;
  const samples::labels own{{"component", each.name}, {"kind", each.kind}};
  to.add(metric_table::offered, own, c.offered);
  to.add(metric_table::rejected, own, c.rejected);
  const std::array<std::pair<const char*, std::uint64_t>, 4> outcomes{{{"handled", c.handled},
                                                                       {"failed", c.failed},
                                                                       {"dropped", c.dropped},
                                                                       {"abandoned", c.abandoned}}};
  for (const auto& [outcome, value] : outcomes) {
    samples::labels with = own;
    with.emplace_back("outcome", outcome);
    to.add(metric_table::handled, with, value);
  }
  to.add(metric_table::unrouted, own, c.unrouted);
  to.add(metric_table::overran, own, c.overran);
  to.add(metric_table::waiting, own, each.waiting);
  to.add(metric_table::capacity, own, each.capacity);
  to.add(metric_table::in_flight, own, each.in_flight);
  to.add(metric_table::scheduled, own, of.details.scheduled);
  add_times(to, own, of);
}

void add_link(samples& to, const link_figures& of) {
  const auto& [bridge, link] = of;
  for (const auto& [outcome, value] : link.counts) {
    to.add(metric_table::link_messages,
           {{"bridge", bridge}, {"link", link.name}, {"outcome", outcome}}, value);
  }
  for (const auto& [state, value] : link.now) {
    to.add(metric_table::link_now, {{"bridge", bridge}, {"link", link.name}, {"state", state}},
           value);
  }
}

void add_counts(samples& to, const detail::metric& of, const std::string& database,
                const char* label, const store_stats::counts& all) {
  for (const auto& [name, value] : all) {
    to.add(of, {{"database", database}, {label, name}}, value);
  }
}

void add_operation(samples& to, const operation_figures& of) {
  const auto add = [&](const char* outcome, const duration_figures& times) {
    if (times.count() == 0) return;
    to.add(metric_table::operation_duration,
           {{"bridge", of.bridge},
            {"operation", of.times.operation},
            {"destination", of.times.destination},
            {"outcome", outcome}},
           times);
  };
  add("ended", of.times.ended);
  add("failed", of.times.failed);
}

void add_store(samples& to, const store_figures& figures) {
  const auto& [name, of] = figures;
  add_counts(to, metric_table::durable_transactions, name, "outcome", of.transactions);
  add_counts(to, metric_table::durable_messages, name, "outcome", of.messages);
  add_counts(to, metric_table::durable_commits, name, "at_most", of.commits);
  to.add(metric_table::durable_in_flight, {{"database", name}}, of.in_flight);
  to.add(metric_table::durable_dead_letters, {{"database", name}}, of.dead_letters);
  for (const auto& each : of.destinations) {
    const samples::labels own{{"database", name}, {"destination", each.name}};
    to.add(metric_table::durable_waiting, own, each.waiting);
    to.add(metric_table::durable_scheduled, own, each.scheduled);
    to.add(metric_table::durable_oldest, own, each.oldest);
  }
}

void add_breaker(samples& to, const circuit_breaker& breaker) {
  using enum circuit_breaker::state;
  const circuit_breaker::state now = breaker.current();
  for (const auto state : {closed, open, half_open, isolated}) {
    to.add(metric_table::breaker_state,
           {{"breaker", breaker.name()}, {"state", std::string(state_name(state))}},
           state == now ? 1 : 0);
  }
}

void add_letters(samples& to, const std::string& name, const async::dead_letters& letters) {
  const async::dead_letter_counters all = letters.stats();
  to.add(metric_table::dead_letters, {{"letters", name}}, letters.size());
  const std::array<std::pair<const char*, std::uint64_t>, 4> outcomes{{{"added", all.added},
                                                                       {"replayed", all.replayed},
                                                                       {"discarded", all.discarded},
                                                                       {"dropped", all.dropped}}};
  for (const auto& [outcome, value] : outcomes) {
    to.add(metric_table::dead_letter_messages, {{"letters", name}, {"outcome", outcome}}, value);
  }
}

}  // namespace

samples metrics::figures::as_samples() const {
  samples all;
  for (const auto& each : components) add_component(all, each);
  for (const auto& each : links) add_link(all, each);
  for (const auto& each : operations) add_operation(all, each);
  for (const auto& [name, each] : breakers) add_breaker(all, *each);
  for (const auto& [name, each] : limiters) {
    all.add(metric_table::limiter_waiting, {{"limiter", name}}, each->waiting());
  }
  for (const auto& [name, each] : letters) add_letters(all, name, *each);
  for (const auto& each : stores) add_store(all, each);
  for (const auto& [name, each] : observers) {
    for (const auto& [step, count] : detail::steps_of(*each)) {
      all.add(metric_table::observed_steps, {{"observer", name}, {"step", step}}, count);
    }
  }
  return all;
}

}  // namespace msgbus
