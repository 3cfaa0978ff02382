#include "metrics/prometheus.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

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

std::string seconds(std::uint64_t nanoseconds) {
  constexpr std::uint64_t second = 1'000'000'000;
  std::string made = std::to_string(nanoseconds / second);
  std::string rest = std::to_string(nanoseconds % second);
  rest.insert(0, 9 - rest.size(), '0');
  while (!rest.empty() && rest.back() == '0') rest.pop_back();
  if (!rest.empty()) made.append(".").append(rest);
  return made;
}

std::string bound_in_seconds(std::int64_t nanoseconds) {
  std::array<char, 32> text{};
  const double value = static_cast<double>(nanoseconds) / 1e9;
  const int size = std::snprintf(text.data(), text.size(), "%g", value);
  std::string made(text.data(), static_cast<std::size_t>(size));
  if (made.find_first_of(".e") == std::string::npos) made += ".0";
  return made;
}

namespace {

std::string text_of(const samples::labels& where) {
  std::string text;
  for (const auto& [name, label] : where) {
    text.append(text.empty() ? "{" : ",").append(name).append("=").append(label_value(label));
  }
  return text.empty() ? text : text + '}';
}

/// These labels and one more.
std::string with_bound(const std::string& where, const std::string& bound) {
  const std::string last = "le=\"" + bound + "\"}";
  return where.empty() ? '{' + last : where.substr(0, where.size() - 1) + ',' + last;
}

void add_line(std::string& to, const std::string& name, const std::string& where,
              const std::string& value) {
  to.append(name).append(where).append(" ").append(value).append("\n");
}

void add_histogram(std::string& to, const std::string& name, const std::string& where,
                   const duration_figures& of) {
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < duration_bounds.size(); ++i) {
    so_far += of.buckets[i];
    add_line(to, name + "_bucket", with_bound(where, bound_in_seconds(duration_bounds[i])),
             std::to_string(so_far));
  }
  const std::string all = std::to_string(of.count());
  add_line(to, name + "_bucket", with_bound(where, "+Inf"), all);
  add_line(to, name + "_sum", where, seconds(of.sum));
  add_line(to, name + "_count", where, all);
}

const char* type_of(const metric& of) noexcept {
  switch (of.kind) {
    case instrument::counter: return "counter";
    case instrument::gauge: return "gauge";
    case instrument::histogram: break;
  }
  return "histogram";
}

}  // namespace

samples::family& samples::family_of(const metric& of) {
  const auto at = std::ranges::find(families_, &of, &family::of);
  return at != families_.end() ? *at : families_.emplace_back(family{&of});
}

void samples::add(const metric& of, const labels& where, std::uint64_t value) {
  family_of(of).values[where] += value;
}

void samples::add(const metric& of, const labels& where, const duration_figures& values) {
  family_of(of).histograms[where] += values;
}

std::string samples::text(exposition form) const {
  std::string all;
  for (const family& each : families_) {
    const std::string name = each.of->name;
    const bool is_counter = each.of->kind == instrument::counter;
    const std::string sample = is_counter ? name + "_total" : name;
    const std::string& head = form == exposition::openmetrics ? name : sample;
    all.append("# HELP ").append(head).append(" ").append(each.of->help).append("\n");
    all.append("# TYPE ").append(head).append(" ").append(type_of(*each.of)).append("\n");
    if (form == exposition::openmetrics && each.of->in_seconds) {
      all.append("# UNIT ").append(head).append(" seconds\n");
    }
    for (const auto& [where, value] : each.values) {
      add_line(all, sample, text_of(where),
               each.of->in_seconds ? seconds(value) : std::to_string(value));
    }
    for (const auto& [where, values] : each.histograms)
      add_histogram(all, name, text_of(where), values);
  }
  if (form == exposition::openmetrics) all += "# EOF\n";
  return all;
}

}  // namespace msgbus::detail
