#include <msgbus/detail/bridge/make_envelope.hpp>

#include <msgbus/detail/bridge/shared_blocks.hpp>
#include <msgbus/topic.hpp>

#include "bridge/standards.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

namespace msgbus::bridging {

namespace {

constexpr std::string_view json_type = "application/json";  // what an empty content type is

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes the number before `end`; gives where it begins.
char* write_before(char* end, std::uint64_t number, std::ptrdiff_t at_least) noexcept {
  char* at = end;
  for (; number != 0 || end - at < at_least; number /= digits.size()) {
    *--at = digits[number % digits.size()];
  }
  return at;
}

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device();
}

void set(headers& in, std::string_view name, std::string_view value) {
  if (!value.empty()) in.add(name, value);
}

/// The trace of a message that another one led to; empty where that had none.
struct trace {
  std::string parent;
  std::string_view state;
};

trace trace_of(const origin* cause) {
  trace found;
  if (cause == nullptr) return found;
  found.parent = sent_trace(header_of(cause->headers, header::traceparent),
                            cause->headers.contains(detail::span_mark));
  if (found.parent.empty()) return found;
  const std::string_view state = header_of(cause->headers, header::tracestate);
  if (is_trace_state(state) && transport::is_header_value(state)) found.state = state;
  return found;
}

void set_trace(headers& in, const trace& of) {
  set(in, header::traceparent, of.parent);
  set(in, header::tracestate, of.state);
}

void add_all(headers& to, std::string_view id, std::string_view content_type,
             const envelope_metadata& with) {
  set(to, header::content_type, content_type);
  const origin* const cause = with.ctx.from();
  // Ids that came from elsewhere are left out where they cannot be sent: they are not the sender's
  // fault, and another text would be another id.
  const auto set_id = [&](std::string_view name, std::string_view text) {
    if (transport::is_header_value(text)) set(to, name, text);
  };
  if (cause != nullptr) {
    set_id(header::causation_id, with.ctx.causation_id());
    set_id(header::correlation_id, with.ctx.correlation_id());
  }
  set(to, header::type, with.type);
  set(to, header::message_id, id);
  if (cause != nullptr) set_trace(to, trace_of(cause));
}

void add_least(headers& to, std::string_view id, std::string_view content_type,
               const envelope_metadata& with) {
  if (content_type != json_type) set(to, header::content_type, content_type);
  set(to, header::type, with.type);
  if (with.is_stored || with.is_request) set(to, header::message_id, id);
  if (const origin* const cause = with.ctx.from()) set_trace(to, trace_of(cause));
}

void add_attributes(headers& to, std::string_view id, std::string_view content_type,
                    const envelope_metadata& with) {
  add_attribute(to, "specversion", "1.0");
  add_attribute(to, "id", id);
  add_attribute(to, "source", with.source.empty() ? "msgbus" : with.source);
  add_attribute(to, "type", with.type);
  add_attribute(to, "time", timestamp(std::chrono::system_clock::now()));
  add_attribute(to, "datacontenttype", content_type);
  if (with.is_stored) set(to, header::message_id, id);
  const origin* const cause = with.ctx.from();
  if (cause == nullptr) return;
  add_attribute(to, "correlationid", with.ctx.correlation_id());
  add_attribute(to, "causationid", with.ctx.causation_id());
  const trace of = trace_of(cause);
  set_trace(to, of);
  add_attribute(to, "traceparent", of.parent);
  add_attribute(to, "tracestate", of.state);
}

std::shared_ptr<origin> read_origin(headers&& received, unsigned times) {
  auto made = std::allocate_shared<origin>(shared_block_allocator<origin>());
  made->deliveries = times;
  if (received.empty()) return made;
  made->headers = std::move(received);
  name_attributes(made->headers);
  for (const auto& [name, value] : made->headers) {
    std::string* const into = name == header::message_id       ? &made->message_id
                              : name == header::correlation_id ? &made->correlation_id
                              : name == header::causation_id   ? &made->causation_id
                                                               : nullptr;
    if (into && into->empty()) *into = value;
  }
  return made;
}

}  // namespace

id_source::id_source() : prefix_() {
  (void)write_before(prefix_.data() + prefix_.size(), random_number(),
                     static_cast<std::ptrdiff_t>(prefix_.size()));
}

std::string id_source::next() {
  std::array<char, 2 * std::tuple_size_v<decltype(prefix_)>> text;  // NOLINT: set where it is used
  char* const end = text.data() + text.size();
  char* const number = write_before(end, last_.fetch_add(1, std::memory_order_relaxed) + 1, 4);
  char* const begin = number - prefix_.size();
  std::memcpy(begin, prefix_.data(), prefix_.size());
  return {begin, end};
}

struct reused_envelope::of_thread {
  envelope last;
  bool is_used = false;
  static thread_local of_thread mine;
};
thread_local reused_envelope::of_thread reused_envelope::of_thread::mine;

reused_envelope::reused_envelope() noexcept
    : used_(std::exchange(of_thread::mine.is_used, true) ? own_ : of_thread::mine.last) {}

reused_envelope::~reused_envelope() {
  if (&used_ == &own_) return;
  std::string().swap(used_.payload);  // of any size
  of_thread::mine.is_used = false;
}

namespace {

void add_headers(headers& to, id_source& ids, std::string_view content_type,
                 const envelope_metadata& with) {
  if (with.form == header_form::none && !with.is_stored) return;
  const std::string id = with.message_id.empty() ? ids.next() : std::string(with.message_id);
  switch (with.form) {
    case header_form::full: add_all(to, id, content_type, with); break;
    case header_form::minimal: add_least(to, id, content_type, with); break;
    case header_form::none: set(to, header::message_id, id); break;
    case header_form::cloudevents: add_attributes(to, id, content_type, with); break;
  }
}

}  // namespace

void make_envelope(envelope& into, id_source& ids, std::string_view topic, detail::encoded made,
                   const envelope_metadata& with) {
  into.topic = topic;
  into.headers.clear();
  into.payload = std::move(made.bytes);
  into.reply_to.clear();
  add_headers(into.headers, ids, made.content_type(), with);
}

envelope make_envelope(id_source& ids, std::string topic, detail::encoded made,
                       const envelope_metadata& with) {
  envelope out{.topic = std::move(topic), .payload = std::move(made.bytes)};
  add_headers(out.headers, ids, made.content_type(), with);
  return out;
}

shared_origin origin_of(id_source& ids, headers&& received, unsigned times) {
  auto made = read_origin(std::move(received), times);
  if (made->message_id.empty()) made->message_id = ids.next();
  return made;
}

std::shared_ptr<origin> origin_of(headers&& received, unsigned times, std::string else_id) {
  auto made = read_origin(std::move(received), times);
  if (made->message_id.empty()) made->message_id = std::move(else_id);
  return made;
}

std::string_view header_of(const headers& received, std::string_view name) noexcept {
  return received.get(name);
}

std::optional<std::chrono::milliseconds> time_left_in(const headers& received) noexcept {
  const std::string_view text = received.get(header::time_left);
  std::uint64_t ms = 0;
  const auto [read_to, wrong] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (wrong != std::errc() || read_to != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t most = std::uint64_t{1} << 40U;  // 34 years
  return std::chrono::milliseconds(std::min(ms, most));
}

std::string in_one_line(std::string_view text) {
  constexpr std::size_t most = 1024;
  std::string line = detail::one_line(text, most);
  return line.empty() ? "no text" : line;
}

std::string event_topic(std::string_view prefix, std::string_view name) {
  std::string topic(prefix);
  topic += '.';
  for (const char c : name) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (stays) {
      topic += c;
    } else if (c == ' ') {
      topic += '-';
    } else if (topic.back() != '.') {  // `::`, `<`, `,` and the like
      topic += '.';
    }
  }
  while (topic.back() == '.') topic.pop_back();
  check_topic(topic);
  return topic;
}

}  // namespace msgbus::bridging
