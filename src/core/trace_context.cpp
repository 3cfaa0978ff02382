#include <msgbus/trace_context.hpp>

#include "core/trace_state.hpp"

#include <algorithm>
#include <ostream>
#include <random>
#include <set>
#include <span>

namespace msgbus {

namespace {

// version(2) - trace(32) - span(16) - flags(2)
constexpr std::size_t size_of_fields = 55;
constexpr std::size_t trace_at = 3;
constexpr std::size_t span_at = 36;
constexpr std::size_t flags_at = 53;

// As bridges call them (`transport/envelope.hpp`, which is in an upper layer).
constexpr std::string_view parent_header = "traceparent";
constexpr std::string_view state_header = "tracestate";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

unsigned value_of(char hex) {
  return static_cast<unsigned>(is_digit(hex) ? hex - '0' : hex - 'a' + 10);
}

std::string_view without_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_zero(std::span<const std::uint8_t> id) {
  return std::ranges::all_of(id, [](std::uint8_t each) { return each == 0; });
}

/// False: it is no number of this size in lower case.
bool read_hex(std::string_view text, std::span<std::uint8_t> to) {
  if (text.size() != 2 * to.size() || !std::ranges::all_of(text, is_hex)) return false;
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] = static_cast<std::uint8_t>(value_of(text[2 * i]) << 4U | value_of(text[2 * i + 1]));
  }
  return true;
}

void add_hex(std::string& to, std::span<const std::uint8_t> id) {
  for (const std::uint8_t each : id) {
    to += "0123456789abcdef"[each >> 4U];
    to += "0123456789abcdef"[each & 15U];
  }
}

void make_id(std::span<std::uint8_t> id) {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    return std::mt19937_64((std::uint64_t{device()} << 32U) ^ device());
  }();
  for (std::size_t at = 0; at < id.size(); at += 8) {
    std::uint64_t number = engine() | 1U;  // all zeros is no id
    for (std::size_t i = at; i < at + 8; ++i, number >>= 8U) {
      id[i] = static_cast<std::uint8_t>(number);
    }
  }
}

bool has_fields(std::string_view text) {
  if (text.size() < size_of_fields || !is_hex(text[0]) || !is_hex(text[1])) return false;
  const std::string_view version = text.substr(0, 2);
  if (version == "ff") return false;
  for (const std::size_t at : {trace_at, span_at, flags_at}) {
    if (text[at - 1] != '-') return false;
  }
  return text.size() == size_of_fields || (version != "00" && text[size_of_fields] == '-');
}

std::optional<trace_context> trace_in(const origin* from) {
  if (!from) return std::nullopt;
  return detail::trace_of(*from);
}

// --- tracestate ----------------------------------------------------------------------------------

constexpr std::size_t most_members = 32;

bool is_key_part(std::string_view text, std::size_t most, bool may_begin_with_digit) {
  if (text.empty() || text.size() > most) return false;
  if (!is_lower(text.front()) && !(may_begin_with_digit && is_digit(text.front()))) return false;
  return std::ranges::all_of(text, [](char c) {
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
         std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

namespace detail {

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

std::optional<trace_context> trace_of(const origin& from) {
  return trace_context::parse(from.headers.get(parent_header), from.headers.get(state_header));
}

std::shared_ptr<origin> origin_with(const trace_context& span, const origin* handled) {
  auto made = handled ? std::make_shared<origin>(*handled) : std::make_shared<origin>();
  made->headers = {};
  made->headers.add(span_mark, "1");
  made->headers.add(parent_header, span.traceparent());
  if (!span.state.empty()) made->headers.add(state_header, span.state);
  made->span = nullptr;
  return made;
}

}  // namespace detail

trace_context trace_context::start(bool sampled) {
  trace_context made;
  made.sampled = sampled;
  make_id(made.trace_id);
  make_id(made.span_id);
  return made;
}

std::optional<trace_context> trace_context::parse(std::string_view traceparent,
                                                  std::string_view tracestate) {
  traceparent = without_blanks(traceparent);
  if (!has_fields(traceparent)) return std::nullopt;
  trace_context made;
  std::array<std::uint8_t, 1> flags{};
  if (!read_hex(traceparent.substr(trace_at, 2 * made.trace_id.size()), made.trace_id) ||
      !read_hex(traceparent.substr(span_at, 2 * made.span_id.size()), made.span_id) ||
      !read_hex(traceparent.substr(flags_at, 2), flags)) {
    return std::nullopt;
  }
  if (is_zero(made.trace_id) || is_zero(made.span_id)) return std::nullopt;
  // The one flag of this version. Others mean nothing yet, and are not passed on.
  made.sampled = (flags[0] & 1U) != 0;
  if (detail::is_trace_state(tracestate)) made.state = tracestate;
  return made;
}

std::optional<trace_context> trace_context::of(const context& ctx) { return trace_in(ctx.from()); }

trace_context trace_context::child() const {
  trace_context made(*this);
  make_id(made.span_id);
  return made;
}

std::string trace_context::traceparent() const {
  std::string text = "00-";
  add_hex(text, trace_id);
  text += '-';
  add_hex(text, span_id);
  text += sampled ? "-01" : "-00";
  return text;
}

std::ostream& operator<<(std::ostream& out, const trace_context& value) {
  return out << value.traceparent();
}

std::optional<trace_context> current_trace() { return trace_in(detail::current_origin()); }

trace_scope::trace_scope(const trace_context& span)
    : origin_(detail::origin_with(span, detail::current_origin())), scope_(&origin_) {}

}  // namespace msgbus
