#include "bridge/trace.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>

namespace msgbus::bridging {

namespace {

// version(2) - trace(32) - span(16) - flags(2)
constexpr std::size_t size_of_fields = 55;
constexpr std::size_t trace_at = 3;
constexpr std::size_t trace_size = 32;
constexpr std::size_t span_at = 36;
constexpr std::size_t span_size = 16;
constexpr std::size_t flags_at = 53;
constexpr std::size_t most_members = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

std::string_view without_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_parent(std::string_view text) {
  if (text.size() < size_of_fields) return false;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return false;
  for (const std::size_t at : {trace_at, span_at, flags_at}) {
    if (text[at - 1] != '-') return false;
  }
  const bool ends = text.size() == size_of_fields;
  if (!ends && (version == "00" || text[size_of_fields] != '-')) return false;
  return is_id(text.substr(trace_at, trace_size)) && is_id(text.substr(span_at, span_size)) &&
         is_hex(text.substr(flags_at, 2));
}

/// The one flag of this version. Others mean nothing yet, and are not passed on.
bool is_sampled(char last_of_flags) {
  const int value = is_digit(last_of_flags) ? last_of_flags - '0' : last_of_flags - 'a' + 10;
  return (value & 1) != 0;
}

std::string span_id() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    return std::mt19937_64((std::uint64_t{device()} << 32) ^ device());
  }();
  std::string id(span_size, '0');
  std::uint64_t number = engine() | 1;  // all zeros is no id
  for (auto at = id.rbegin(); at != id.rend(); ++at, number >>= 4) {
    *at = "0123456789abcdef"[number & 15];
  }
  return id;
}

bool is_key_part(std::string_view text, std::size_t most, bool may_begin_with_digit) {
  if (text.empty() || text.size() > most) return false;
  if (!is_lower(text.front()) && !(may_begin_with_digit && is_digit(text.front()))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  });
}

bool is_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) return is_key_part(key, 256, false);
  return is_key_part(key.substr(0, at), 241, true) && is_key_part(key.substr(at + 1), 14, false);
}

bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

std::string child_trace(std::string_view parent) {
  parent = without_blanks(parent);
  if (!is_parent(parent)) return {};
  std::string child = "00-";
  child += parent.substr(trace_at, trace_size);
  child += '-';
  child += span_id();
  child += is_sampled(parent[flags_at + 1]) ? "-01" : "-00";
  return child;
}

bool is_trace_state(std::string_view list) {
  std::set<std::string_view> keys;
  for (bool more = true; more;) {
    const std::size_t comma = list.find(',');
    more = comma != std::string_view::npos;
    const std::string_view member = without_blanks(list.substr(0, comma));
    if (more) list.remove_prefix(comma + 1);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
    if (!keys.insert(key).second) return false;
  }
  return !keys.empty() && keys.size() <= most_members;
}

}  // namespace msgbus::bridging
