#include <msgbus/counters.hpp>

#include <msgbus/explanation.hpp>
#include <msgbus/graph.hpp>
#include <msgbus/log_observer.hpp>
#include <msgbus/metric_data.hpp>
#include <msgbus/observer.hpp>

#include "core/print.hpp"
#include "core/text.hpp"

#include <ostream>

namespace msgbus {

std::ostream& operator<<(std::ostream& out, const step& value) {
  detail::printed members("step");
  members.member("message", value.message).member("topic", value.topic);
  if (!value.component.empty()) members.member("component", value.component);
  return out << members;
}

std::ostream& operator<<(std::ostream& out, const counters& value) {
  return out << detail::printed("counters")
                    .member("offered", value.offered)
                    .member("accepted", value.accepted)
                    .member("rejected", value.rejected)
                    .member("handled", value.handled)
                    .member("failed", value.failed)
                    .member("dropped", value.dropped)
                    .member("abandoned", value.abandoned)
                    .member("unrouted", value.unrouted)
                    .member("overran", value.overran)
                    .member("scheduled", value.scheduled);
}

namespace {

std::string text_of(const explanation::entry& each) {
  std::string made = detail::escaped(each.component) + ": " + detail::escaped(each.handler.label);
  if (!each.handler.attached_at.file.empty()) {
    made += ", at " + detail::escaped(each.handler.attached_at.file) + ':' +
            std::to_string(each.handler.attached_at.line);
  }
  made += '\n';
  return made;
}

void add_line(std::string& to, std::string_view text) {
  to += "     " + detail::escaped(text) + '\n';
}

}  // namespace

std::string explanation::text() const {
  std::string made = detail::escaped(question) + ": ";
  made += run.empty()
              ? std::string("no handler runs")
              : std::to_string(run.size()) + (run.size() == 1 ? " handler runs" : " handlers run");
  made += '\n';
  for (std::size_t i = 0; i < run.size(); ++i) {
    const entry& each = run[i];
    made += "  " + std::to_string(i + 1) + ". " + text_of(each);
    if (!each.executor.empty()) add_line(made, "on " + each.executor);
    if (!each.pattern.empty()) add_line(made, "by the pattern '" + each.pattern + "'");
    if (!each.handler.policy.empty()) add_line(made, "with " + each.handler.policy);
    for (const std::string& reason : each.reasons) add_line(made, reason);
  }
  if (!others.empty()) made += "these do not run:\n";
  for (const entry& each : others) {
    made += "  -  " + text_of(each);
    for (const std::string& reason : each.reasons) add_line(made, reason);
  }
  for (const std::string& each : notes) made += "note: " + detail::escaped(each) + '\n';
  return made;
}

std::ostream& operator<<(std::ostream& out, const explanation& value) {
  return out << value.text();
}

std::ostream& operator<<(std::ostream& out, graph_format value) {
  using enum graph_format;
  return out << detail::enumerator<graph_format>(value, "graph_format",
                                                 {{text, "text"},
                                                  {json, "json"},
                                                  {dot, "dot"},
                                                  {mermaid, "mermaid"},
                                                  {asyncapi, "asyncapi"}});
}

std::ostream& operator<<(std::ostream& out, log_format value) {
  using enum log_format;
  return out << detail::enumerator<log_format>(value, "log_format",
                                               {{key_value, "key_value"}, {json, "json"}});
}

std::ostream& operator<<(std::ostream& out, log_level value) {
  using enum log_level;
  return out << detail::enumerator<log_level>(
             value, "log_level", {{info, "info"}, {warning, "warning"}, {error, "error"}});
}

namespace {

std::string name_of_kind(metric_kind value) {
  using enum metric_kind;
  return detail::enumerator<metric_kind>(
      value, "metric_kind", {{sum, "sum"}, {gauge, "gauge"}, {histogram, "histogram"}});
}

}  // namespace

std::ostream& operator<<(std::ostream& out, metric_kind value) {
  return out << name_of_kind(value);
}

std::ostream& operator<<(std::ostream& out, const metric_data& value) {
  return out << detail::printed("metric_data")
                    .member("name", value.name)
                    .member("unit", value.unit)
                    .written("kind", name_of_kind(value.kind))
                    .member("points", value.points.size());
}

}  // namespace msgbus
