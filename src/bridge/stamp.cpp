#include <msgbus/bridge/detail/stamp.hpp>

#include <msgbus/core/topic.hpp>

#include "bridge/trace.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

namespace msgbus::bridging {

namespace {

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void append(std::string& to, std::uint64_t number, std::size_t at_least) {
  const std::size_t before = to.size();
  for (; number != 0 || to.size() - before < at_least; number /= digits.size()) {
    to += digits[number % digits.size()];
  }
  std::reverse(to.begin() + static_cast<std::ptrdiff_t>(before), to.end());
}

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device();
}

void set(headers& in, std::string_view name, std::string_view value) {
  if (!value.empty()) in.add(name, value);
}

}  // namespace

id_source::id_source()
    : prefix_([] {
        std::string made;
        append(made, random_number(), 11);
        return made;
      }()) {}

std::string id_source::next() {
  std::string id = prefix_;
  append(id, last_.fetch_add(1, std::memory_order_relaxed) + 1, 4);
  return id;
}

envelope stamped(id_source& ids, std::string topic, payload made, std::string_view type,
                 const context& about) {
  envelope out{.topic = std::move(topic), .payload = std::move(made.bytes)};
  const origin* const cause = about.from();
  set(out.headers, header::content_type, made.content_type);
  // Ids that came from elsewhere are left out where they cannot be sent: they are not the sender's
  // fault, and another text would be another id.
  const auto set_id = [&](std::string_view name, std::string_view id) {
    if (transport::is_header_value(id)) set(out.headers, name, id);
  };
  if (cause != nullptr) {
    set_id(header::causation_id, about.causation_id());
    set_id(header::correlation_id, about.correlation_id());
  }
  set(out.headers, header::type, type);
  set(out.headers, header::message_id, ids.next());
  if (cause != nullptr) {
    const std::string trace = child_trace(header_of(cause->headers, header::traceparent));
    if (!trace.empty()) {
      set(out.headers, header::traceparent, trace);
      const std::string_view state = header_of(cause->headers, header::tracestate);
      if (is_trace_state(state)) set_id(header::tracestate, state);
    }
  }
  return out;
}

shared_origin origin_of(id_source& ids, headers&& received, unsigned times) {
  const bool has_id = !header_of(received, header::message_id).empty();
  return origin_of(std::move(received), times, has_id ? std::string() : ids.next());
}

shared_origin origin_of(headers&& received, unsigned times, std::string else_id) {
  auto made = std::make_shared<origin>();
  made->message_id = header_of(received, header::message_id);
  if (made->message_id.empty()) made->message_id = std::move(else_id);
  made->correlation_id = header_of(received, header::correlation_id);
  made->causation_id = header_of(received, header::causation_id);
  made->deliveries = times;
  made->headers = std::move(received);
  return made;
}

std::string_view header_of(const headers& received, std::string_view name) noexcept {
  return received.get(name);
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
