#include "bridge/dead_letter.hpp"
#include <msgbus/detail/bridge/commands.hpp>
#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/core/hash.hpp>
#include <msgbus/error.hpp>

#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace msgbus::bridging {

namespace {

constexpr std::size_t short_reason_size = 100;
constexpr std::string_view hex = "0123456789abcdef";

/// A name as one token: whatever it holds, it is not that of another name.
std::string as_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    const auto byte = static_cast<unsigned char>(c);
    if (stays) {
      token += c;
    } else {
      token += '%';
      token += hex[byte >> 4];
      token += hex[byte & 15];
    }
  }
  return token;
}

std::string id_of(const envelope& message, const given_up& details) {
  std::string id = "dead." + as_token(details.stream) + '.' + as_token(details.durable) + '.' +
                   std::to_string(details.sequence) + '.';
  const std::uint64_t digest = message_digest(details.id, message.payload);
  for (int shift = 60; shift >= 0; shift -= 4) id += hex[(digest >> shift) & 15];
  if (details.replay_of != 0) id += '.' + std::to_string(details.replay_of);
  return id;
}

bool is_for_streams(std::string_view name) noexcept { return name.starts_with("Nats-"); }

bool says_what_it_is(std::string_view name) noexcept {
  return name == header::content_type || name == header::type || name == header::correlation_id;
}

bool is_blank(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

}  // namespace

envelope dead_letter(const envelope& message, const given_up& details, extent kept) {
  envelope dead;
  const auto set = [&](std::string_view name, std::string_view value) {
    dead.headers.insert_or_assign(name, value);
  };
  bool lacks_headers = false;
  for (const auto& [name, value] : message.headers) {
    const bool stays = kept < extent::own_headers
                           ? !is_for_streams(name)
                           : kept < extent::no_payload && says_what_it_is(name);
    if (stays) dead.headers.add(name, value);
    lacks_headers = lacks_headers || (!stays && !is_for_streams(name));
  }
  const std::string_view cause = message.headers.get(header::causation_id);
  if (kept < extent::no_payload) {
    dead.payload = message.payload;
    set(header::causation_id, details.id);
    if (lacks_headers) {
      set(header::dead_missing, "headers");
    } else if (!cause.empty()) {
      set(header::dead_causation_id, cause);
    }
  } else {
    set(header::dead_size, std::to_string(message.payload.size()));
  }
  set(header::message_id, id_of(message, details));
  set(header::attempt, std::to_string(details.attempts));
  set(header::dead_reason,
      in_one_line(kept < extent::short_reason
                      ? details.reason
                      : detail::first_characters(details.reason, short_reason_size)));
  set(header::dead_topic, message.topic);
  set(header::dead_stream, std::string(details.stream));
  set(header::dead_durable, std::string(details.durable));
  set(header::dead_sequence, std::to_string(details.sequence));
  transport::make_sendable(dead.headers);  // other programs' headers may be anything
  return dead;
}

std::uint64_t message_digest(std::string_view id, std::string_view payload) noexcept {
  return std::uint64_t{hash_of(id)} * 31 + hash_of(payload);
}

std::string reason_of(const failures& failed) {
  if (failed.empty()) return "no handler accepts it";
  std::string all;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    const std::string text = describe(failed[i]);
    if (i != 0) all += "; ";
    all += is_blank(text) ? "an exception without text (" + kind_of(failed[i]) + ')' : text;
  }
  return all;
}

}  // namespace msgbus::bridging
