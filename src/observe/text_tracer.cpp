#include <msgbus/tracer.hpp>

#include "core/text.hpp"

#include <charconv>
#include <mutex>
#include <ostream>
#include <utility>

namespace msgbus {

namespace {

std::string_view text_of(span_kind kind) noexcept {
  switch (kind) {
    case span_kind::internal: return "internal";
    case span_kind::server: return "server";
    case span_kind::client: return "client";
    case span_kind::producer: return "producer";
    case span_kind::consumer: return "consumer";
  }
  return "unknown";
}

std::string_view text_of(span_status status) noexcept {
  switch (status) {
    case span_status::unset: return "unset";
    case span_status::ok: return "ok";
    case span_status::error: return "error";
  }
  return "unknown";
}

template <std::size_t Bytes>
std::string hex(const std::array<std::uint8_t, Bytes>& id) {
  std::string text;
  for (const std::uint8_t each : id) {
    text += "0123456789abcdef"[each >> 4U];
    text += "0123456789abcdef"[each & 15U];
  }
  return text;
}

std::string text_of(std::chrono::steady_clock::duration took) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  return us < 10'000 ? std::to_string(us) + "us" : std::to_string(us / 1000) + "ms";
}

std::string text_of(const attribute_value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return detail::logfmt_value(*text);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  std::array<char, 32> text;  // NOLINT: set as far as it is used
  const auto [end, failed] =
      std::to_chars(text.data(), text.data() + text.size(), std::get<double>(value));
  return {text.data(), end};
}

std::string text_of(const attribute& each) {
  return detail::logfmt_value(each.key) + '=' + text_of(each.value);
}

std::string line_of(const span_data& span) {
  std::string line = "span=" + detail::logfmt_value(span.name);
  const auto add = [&](std::string_view key, std::string_view value) {
    line.append(" ").append(key).append("=").append(value);
  };
  add("kind", text_of(span.kind));
  add("took", text_of(span.took));
  add("trace", hex(span.context.trace_id));
  add("id", hex(span.context.span_id));
  if (!span.is_root()) add("parent", hex(span.parent));
  if (span.status != span_status::unset) add("status", text_of(span.status));
  if (!span.status_text.empty()) add("reason", detail::logfmt_value(span.status_text));
  for (const attribute& each : span.attributes) line += ' ' + text_of(each);
  return line;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, span_kind value) { return out << text_of(value); }
std::ostream& operator<<(std::ostream& out, span_status value) { return out << text_of(value); }
std::ostream& operator<<(std::ostream& out, const attribute& value) {
  return out << text_of(value);
}
std::ostream& operator<<(std::ostream& out, const span_data& value) {
  return out << line_of(value);
}

struct text_tracer::state {
  std::mutex mutex;
  const writer write;
};

text_tracer::text_tracer(writer write, sampler decides)
    : tracer(decides), state_(new state{{}, std::move(write)}) {}

text_tracer::~text_tracer() = default;

void text_tracer::ended(const span_data& span) {
  const std::string line = line_of(span);
  const std::lock_guard lock(state_->mutex);
  state_->write(line);
}

}  // namespace msgbus
