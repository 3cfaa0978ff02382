#include "metrics/prometheus.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace msgbus::detail {

std::string label_value(std::string_view text) {
  std::string made = "\"";
  for (const char c : to_utf8(text)) {
    if (c == '\n') {
      made += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') made += '\\';
    made += c;
  }
  return made + '"';
}

void samples::add(const metric& of, labels where, std::uint64_t value) {
  auto at = std::ranges::find(families_, &of, &family::of);
  if (at == families_.end()) at = families_.insert(families_.end(), family{&of, {}});
  std::string text;
  for (const auto& [name, label] : where) {
    text += text.empty() ? "{" : ",";
    text.append(name).append("=").append(label_value(label));
  }
  if (!text.empty()) text += '}';
  at->values[std::move(text)] += value;
}

std::string samples::text(exposition form) const {
  std::string all;
  for (const family& each : families_) {
    const std::string name = each.of->name;
    const std::string sample = each.of->is_counter ? name + "_total" : name;
    const std::string& head = form == exposition::openmetrics ? name : sample;
    const char* const type = each.of->is_counter ? "counter" : "gauge";
    all.append("# HELP ").append(head).append(" ").append(each.of->help).append("\n");
    all.append("# TYPE ").append(head).append(" ").append(type).append("\n");
    for (const auto& [where, value] : each.values) {
      all.append(sample).append(where).append(" ").append(std::to_string(value)).append("\n");
    }
  }
  if (form == exposition::openmetrics) all += "# EOF\n";
  return all;
}

}  // namespace msgbus::detail
