#include "bridge/standards.hpp"

#include "core/text.hpp"

#include <msgbus/trace_context.hpp>
#include <msgbus/transport/envelope.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace msgbus::bridging {

// --- CloudEvents. --------------------------------------------------------------------------------

namespace {

constexpr std::string_view attribute_prefix = "ce-";

bool needs_encoding(char c) noexcept { return c <= ' ' || c > '~' || c == '"' || c == '%'; }

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_quoted(std::string_view value) noexcept {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"';
}

std::string unquoted(std::string_view value) {
  std::string text;
  value = value.substr(1, value.size() - 2);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Client libraries differ in how they write names.
bool is_same_name(std::string_view name, std::string_view wanted) noexcept {
  return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view attribute_of(const headers& all, std::string_view attribute) noexcept {
  constexpr std::size_t before = attribute_prefix.size();
  for (const auto& [name, value] : all) {
    if (name.size() == before + attribute.size() &&
        is_same_name(name.substr(0, before), attribute_prefix) &&
        is_same_name(name.substr(before), attribute)) {
      return value;
    }
  }
  return {};
}

/// Some write it as it is written without CloudEvents.
std::string_view content_type_of(const headers& all) noexcept {
  const std::string_view attribute = attribute_of(all, "datacontenttype");
  if (!attribute.empty()) return attribute;
  for (const auto& [name, value] : all) {
    if (is_same_name(name, header::content_type)) return value;
  }
  return {};
}

}  // namespace

std::string to_attribute(std::string_view text) {
  std::string value;
  value.reserve(text.size());
  for (const char c : text) {
    if (!needs_encoding(c)) {
      value += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    value += '%';
    value += "0123456789ABCDEF"[byte >> 4];
    value += "0123456789ABCDEF"[byte & 15];
  }
  return value;
}

std::string from_attribute(std::string_view value) {
  const std::string encoded = is_quoted(value) ? unquoted(value) : std::string(value);
  std::string text;
  text.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const bool may_be = encoded[i] == '%' && i + 2 < encoded.size();
    const int high = may_be ? digit_of(encoded[i + 1]) : -1;
    const int low = may_be ? digit_of(encoded[i + 2]) : -1;
    if (high < 0 || low < 0) {
      text += encoded[i];
    } else {
      text += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return detail::find_not_utf8(text) == std::string_view::npos ? text : std::string(value);
}

std::string timestamp(std::chrono::system_clock::time_point at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(floor<milliseconds>(at - day));
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
      static_cast<int>(time.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(std::max(size, 0)));
}

void add_attribute(headers& to, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  std::string header_name(attribute_prefix);
  header_name += name;
  to.add(header_name, to_attribute(text));
}

void name_attributes(headers& of) {
  if (attribute_of(of, "specversion").empty()) return;
  const auto add = [&](std::string_view name, std::string_view value) {
    const std::string text = from_attribute(value);
    if (!text.empty()) of.emplace(name, text);
  };
  add(header::message_id, attribute_of(of, "id"));
  add(header::type, attribute_of(of, "type"));
  add(header::content_type, content_type_of(of));
  add(header::correlation_id, attribute_of(of, "correlationid"));
  add(header::causation_id, attribute_of(of, "causationid"));
  add(header::traceparent, attribute_of(of, "traceparent"));
  add(header::tracestate, attribute_of(of, "tracestate"));
}

// --- W3C Trace Context. --------------------------------------------------------------------------

std::string child_trace(std::string_view parent) { return sent_trace(parent, false); }

std::string sent_trace(std::string_view parent, bool is_span) {
  const auto found = trace_context::parse(parent);
  if (!found) return {};
  return is_span ? found->traceparent() : found->child().traceparent();
}

}  // namespace msgbus::bridging
