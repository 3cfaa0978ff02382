#pragma once

/// The sizes and names that a transport accepts. All transports have the same rules, so a program
/// that runs with one of them runs with the others.

#include <msgbus/transport/transport.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace msgbus::transport {

/// The number of bytes of payload and headers, as NATS writes them.
[[nodiscard]] std::size_t size_of(const envelope& message) noexcept;

/// The error names the topic, the size and the limit.
[[nodiscard]] message_refused too_large(const envelope& message, std::size_t limit);

/// The limit for the names in one command. A NATS server reads lines of up to 4096 bytes, with the
/// command's word and numbers, and closes the connection of a client that sends a longer line.
inline constexpr std::size_t longest_names = 4000;
/// The limit for names of streams and durable consumers, as in JetStream.
inline constexpr std::size_t longest_stream_name = 255;

/// Throws `invalid_topic` if topic (or pattern), reply topic and group are too long together.
void check_names(std::string_view topic, std::string_view reply_to, std::string_view group);

/// Throws `bad_arguments` if it cannot be the name of a stream or a durable consumer.
void check_name(const std::string& name, const char* of_what);

// --- Patterns: all arguments are valid topics or patterns. ---------------------------------------

[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept;

/// Whether a topic exists that matches both.
[[nodiscard]] bool patterns_overlap(std::string_view one, std::string_view other) noexcept;

/// Whether `wide` matches every topic that `narrow` matches.
[[nodiscard]] bool pattern_covers(std::string_view wide, std::string_view narrow) noexcept;

// --- Reply topics. -------------------------------------------------------------------------------

/// The number of a reply as the last token of its topic, and back; 0 for anything else. The token
/// is short, since the server and both clients read it letter by letter: the lower half of the
/// number and the upper one, both of which begin with small numbers (see `pending_replies`).
[[nodiscard]] std::string reply_topic(std::string_view inbox, std::uint64_t number);
[[nodiscard]] std::uint64_t reply_number(std::string_view topic, std::string_view inbox) noexcept;

}  // namespace msgbus::transport
