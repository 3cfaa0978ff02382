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

}  // namespace

std::string request_body(std::span<const span_data> spans, const std::vector<attribute>& resource) {
  json list = json::array();
  for (const span_data& each : spans) list.push_back(span_of(each));
  const json scope{{"name", "msgbus"}, {"version", version_string()}};
  json in_scope{{"scope", scope}, {"spans", std::move(list)}};
  json of_program{{"resource", {{"attributes", attributes_of(resource)}}},
                  {"scopeSpans", json::array({std::move(in_scope)})}};
  const json all{{"resourceSpans", json::array({std::move(of_program)})}};
  // Bytes that are not UTF-8 become U+FFFD (O3).
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::uint64_t refused_in(std::string_view answer) {
  const json read = json::parse(answer, nullptr, false);
  if (!read.is_object()) return 0;  // a body that is no reply refuses nothing
  const auto partial = read.find("partialSuccess");
  if (partial == read.end() || !partial->is_object()) return 0;
  const auto refused = partial->find("rejectedSpans");
  if (refused == partial->end()) return 0;
  if (refused->is_number_unsigned()) return refused->get<std::uint64_t>();
  if (!refused->is_string()) return 0;
  const std::string& text = refused->get_ref<const std::string&>();
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace msgbus::otlp
