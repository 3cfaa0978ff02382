#include "otlp/otlp_json.hpp"

#include <msgbus/version.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>

namespace msgbus::otlp {

namespace {

using nlohmann::json;

template <std::size_t Bytes>
std::string hex(const std::array<std::uint8_t, Bytes>& id) {
  std::string text;
  text.reserve(2 * Bytes);
  for (const std::uint8_t each : id) {
    text += "0123456789abcdef"[each >> 4U];
    text += "0123456789abcdef"[each & 15U];
  }
  return text;
}

/// 64 bits are a text in the mapping.
std::string nanoseconds(std::chrono::system_clock::time_point at) {
  const auto since = at.time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json value_of(const attribute_value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return {{"stringValue", *text}};
  if (const auto* flag = std::get_if<bool>(&value)) return {{"boolValue", *flag}};
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return {{"intValue", std::to_string(*whole)}};
  }
  return {{"doubleValue", number(std::get<double>(value))}};
}

json attributes_of(const std::vector<attribute>& all) {
  json list = json::array();
  for (const attribute& each : all) {
    list.push_back({{"key", each.key}, {"value", value_of(each.value)}});
  }
  return list;
}

json link_of(const trace_context& to) {
  json made{{"traceId", hex(to.trace_id)}, {"spanId", hex(to.span_id)}};
  if (!to.state.empty()) made["traceState"] = to.state;
  return made;
}

json span_of(const span_data& of) {
  json made{{"traceId", hex(of.context.trace_id)},
            {"spanId", hex(of.context.span_id)},
            {"flags", of.context.sampled ? 1 : 0},
            {"name", of.name},
            {"kind", static_cast<int>(of.kind)},
            {"startTimeUnixNano", nanoseconds(of.began)},
            {"endTimeUnixNano",
             nanoseconds(of.began +
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(of.took))},
            {"attributes", attributes_of(of.attributes)}};
  if (!of.context.state.empty()) made["traceState"] = of.context.state;
  if (!of.is_root()) made["parentSpanId"] = hex(of.parent);
  for (const trace_context& each : of.links) made["links"].push_back(link_of(each));
  if (of.status != span_status::unset) {
    made["status"]["code"] = static_cast<int>(of.status);
    if (!of.status_text.empty()) made["status"]["message"] = of.status_text;
  }
  return made;
}

constexpr int cumulative = 2;

json point_of(const metric_data& of, const metric_data::point& each,
              std::chrono::system_clock::time_point at) {
  json made{{"attributes", attributes_of(each.attributes)}, {"timeUnixNano", nanoseconds(at)}};
  if (of.kind != metric_kind::gauge) made["startTimeUnixNano"] = nanoseconds(each.since);
  const auto* const whole = std::get_if<std::int64_t>(&each.value);
  const double real = whole ? static_cast<double>(*whole) : std::get<double>(each.value);
  if (of.kind != metric_kind::histogram) {
    if (whole) {
      made["asInt"] = std::to_string(*whole);
    } else {
      made["asDouble"] = number(real);
    }
    return made;
  }
  std::uint64_t count = 0;
  json buckets = json::array();
  for (const std::uint64_t one : each.buckets) {
    count += one;
    buckets.push_back(std::to_string(one));
  }
  made["count"] = std::to_string(count);
  made["sum"] = number(real);
  made["bucketCounts"] = std::move(buckets);
  made["explicitBounds"] = of.bounds;
  return made;
}

json metric_of(const metric_data& of, std::chrono::system_clock::time_point at) {
  json points = json::array();
  for (const auto& each : of.points) points.push_back(point_of(of, each, at));
  json made{{"name", of.name}, {"description", of.description}, {"unit", of.unit}};
  json with{{"dataPoints", std::move(points)}};
  if (of.kind != metric_kind::gauge) with["aggregationTemporality"] = cumulative;
  switch (of.kind) {
    case metric_kind::sum:
      with["isMonotonic"] = true;
      made["sum"] = std::move(with);
      break;
    case metric_kind::gauge: made["gauge"] = std::move(with); break;
    case metric_kind::histogram: made["histogram"] = std::move(with); break;
  }
  return made;
}

/// `signal` is `Spans` or `Metrics`.
std::string body_of(const std::string& signal, const char* list_name, json list,
                    const std::vector<attribute>& resource) {
  const json scope{{"name", "msgbus"}, {"version", version_string()}};
  json in_scope{{"scope", scope}, {list_name, std::move(list)}};
  json of_program{{"resource", {{"attributes", attributes_of(resource)}}},
                  {"scope" + signal, json::array({std::move(in_scope)})}};
  const json all{{"resource" + signal, json::array({std::move(of_program)})}};
  // Bytes that are not UTF-8 become U+FFFD (O3).
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string request_body(std::span<const span_data> spans, const std::vector<attribute>& resource) {
  json list = json::array();
  for (const span_data& each : spans) list.push_back(span_of(each));
  return body_of("Spans", "spans", std::move(list), resource);
}

std::string request_body(std::span<const metric_data> metrics,
                         std::chrono::system_clock::time_point at,
                         const std::vector<attribute>& resource) {
  json list = json::array();
  for (const metric_data& each : metrics) {
    if (!each.points.empty()) list.push_back(metric_of(each, at));
  }
  return body_of("Metrics", "metrics", std::move(list), resource);
}

std::uint64_t refused_in(std::string_view answer) {
  const json read = json::parse(answer, nullptr, false);
  if (!read.is_object()) return 0;  // a body that is no reply refuses nothing
  const auto partial = read.find("partialSuccess");
  if (partial == read.end() || !partial->is_object()) return 0;
  auto refused = partial->find("rejectedSpans");
  if (refused == partial->end()) refused = partial->find("rejectedDataPoints");
  if (refused == partial->end()) return 0;
  if (refused->is_number_unsigned()) return refused->get<std::uint64_t>();
  if (!refused->is_string()) return 0;
  const std::string& text = refused->get_ref<const std::string&>();
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace msgbus::otlp
