// The figures in the words of OpenTelemetry: its conventions for messaging, and all others under
// the names that Prometheus has, with dots.

#include "metrics/figures.hpp"
#include "observe/trace_table.hpp"

#include <algorithm>

namespace msgbus {

namespace {

namespace metric_table = detail::metric_table;

using detail::component_figures;
using detail::convention;
using detail::duration_figures;
namespace names = detail::trace_names;

using attributes = std::vector<attribute>;

attribute text(std::string_view key, std::string_view value) {
  return {std::string(key), std::string(value)};
}

double in_seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

std::vector<double> bounds_in_seconds() {
  std::vector<double> all;
  all.reserve(detail::duration_bounds.size());
  for (const std::int64_t each : detail::duration_bounds) {
    all.push_back(static_cast<double>(each) / 1e9);
  }
  return all;
}

bool is_pattern(std::string_view topic) {
  return topic.find_first_of("*>,") != std::string_view::npos;
}

/// Metrics that get their points one after the other.
class collection {
 public:
  void add(const convention& to, attributes with, bool has_failed, std::uint64_t count) {
    point& made = add_point(to, metric_kind::sum, std::move(with), has_failed);
    made.value = static_cast<std::int64_t>(count);
  }

  void add(const convention& to, attributes with, bool has_failed, const duration_figures& times) {
    if (has_failed && times.count() == 0) return;
    point& made = add_point(to, metric_kind::histogram, std::move(with), has_failed);
    made.value = in_seconds(times.sum);
    made.buckets.assign(times.buckets.begin(), times.buckets.end());
  }

  void add(const detail::samples& all) {
    for (const auto& family : all.families()) add(family);
  }

  [[nodiscard]] std::vector<metric_data> take() { return std::move(all_); }

 private:
  using point = metric_data::point;

  metric_data& metric_of(std::string name, const char* description, const char* unit,
                         metric_kind kind) {
    const auto found = std::ranges::find(all_, name, &metric_data::name);
    if (found != all_.end()) return *found;
    metric_data& made = all_.emplace_back();
    made.name = std::move(name);
    made.description = description;
    made.unit = unit;
    made.kind = kind;
    if (kind == metric_kind::histogram) made.bounds = bounds_in_seconds();
    return made;
  }

  point& add_point(const convention& to, metric_kind kind, attributes with, bool has_failed) {
    if (has_failed) with.push_back(text(names::error_type, names::other_error));
    point& made = metric_of(to.name, to.help, to.unit, kind).points.emplace_back();
    made.attributes = std::move(with);
    made.since = detail::program_start();
    return made;
  }

  void add(const detail::samples::family& family) {
    const detail::metric& of = *family.of;
    std::string name = of.name;
    if (of.in_seconds && name.ends_with("_seconds")) name.resize(name.size() - 8);
    std::ranges::replace(name, '_', '.');
    const metric_kind kind = of.kind == detail::instrument::histogram ? metric_kind::histogram
                             : of.kind == detail::instrument::gauge   ? metric_kind::gauge
                                                                      : metric_kind::sum;
    metric_data& to = metric_of(std::move(name), of.help, of.in_seconds ? "s" : "1", kind);
    const auto begin = [&](const detail::samples::labels& where) -> point& {
      point& made = to.points.emplace_back();
      for (const auto& [key, value] : where) {
        made.attributes.push_back(text("msgbus." + std::string(key), value));
      }
      if (kind != metric_kind::gauge) made.since = detail::program_start();
      return made;
    };
    for (const auto& [where, value] : family.values) {
      point& made = begin(where);
      if (of.in_seconds) {
        made.value = in_seconds(value);
      } else {
        made.value = static_cast<std::int64_t>(value);
      }
    }
    for (const auto& [where, times] : family.histograms) {
      point& made = begin(where);
      made.value = in_seconds(times.sum);
      made.buckets.assign(times.buckets.begin(), times.buckets.end());
    }
  }

  std::vector<metric_data> all_;
};

attributes of_operation(std::string_view system, std::string_view operation) {
  return {text(names::system, system), text(names::operation, operation)};
}

void add_destination(attributes& to, std::string_view topic) {
  if (topic.empty()) return;
  to.push_back(text(is_pattern(topic) ? names::destination_template : names::destination, topic));
}

void add_component(collection& to, const component_figures& of) {
  const counters& counts = of.stats.counts;
  const std::string& name = of.stats.name;
  attributes sent = of_operation(names::in_process, "send");
  sent.push_back(text(names::destination, name));
  to.add(metric_table::sent_messages, sent, false, counts.accepted);
  to.add(metric_table::sent_messages, sent, true, counts.rejected);
  attributes consumed = of_operation(names::in_process, "process");
  consumed.push_back(text(names::destination, name));
  consumed.push_back(text(names::group, name));
  to.add(metric_table::consumed_messages, consumed, false, counts.handled);
  to.add(metric_table::consumed_messages, consumed, true, counts.failed);
  for (const auto& each : of.handles) {
    attributes with = of_operation(names::in_process, "process");
    with.push_back(text(names::destination, each.names.message));
    with.push_back(text(names::group, name));
    with.push_back(text(names::handler, each.names.handler));
    duration_figures without_failure = each.times;
    without_failure -= each.failed;
    to.add(metric_table::process_duration, with, false, without_failure);
    to.add(metric_table::process_duration, with, true, each.failed);
  }
}

std::uint64_t count_of(const async::detail::link_stats& of, std::string_view name) {
  const auto found = std::ranges::find(
      of.counts, name, [](const auto& each) { return std::string_view(each.first); });
  return found == of.counts.end() ? 0 : found->second;
}

void add_link(collection& to, const detail::link_figures& link) {
  const async::detail::link_stats& of = link.stats;
  attributes with = of_operation(of.system, of.sends ? "send" : "receive");
  add_destination(with, of.topics);
  if (!of.group.empty()) with.push_back(text(names::group, of.group));
  if (of.sends) {
    to.add(metric_table::sent_messages, with, false, count_of(of, "sent"));
    to.add(metric_table::sent_messages, with, true, count_of(of, "unsent"));
    return;
  }
  const std::uint64_t errors = count_of(of, "errors");
  to.add(metric_table::consumed_messages, with, false,
         count_of(of, "admitted") + count_of(of, "answered") - errors);
  to.add(metric_table::consumed_messages, with, true,
         count_of(of, "undecodable") + count_of(of, "refused") + errors);
}

void add_operation(collection& to, const detail::operation_figures& one) {
  const async::detail::operation_times& of = one.times;
  attributes with = of_operation(of.system, of.operation);
  add_destination(with, of.destination);
  to.add(metric_table::client_operation_duration, with, false, of.ended);
  to.add(metric_table::client_operation_duration, with, true, of.failed);
}

}  // namespace

std::vector<metric_data> metrics::figures::as_data() const {
  collection all;
  for (const auto& each : components) add_component(all, each);
  for (const auto& each : links) add_link(all, each);
  for (const auto& each : operations) add_operation(all, each);
  // Those that the conventions have in the same detail are left out.
  figures others = *this;
  for (auto& each : others.components) each.handles.clear();
  others.operations.clear();
  all.add(others.as_samples());
  return all.take();
}

}  // namespace msgbus
