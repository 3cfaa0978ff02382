#pragma once

/// A message of a stream in JetStream's JSON. Pure.

#include "jetstream_json.hpp"

#include <msgbus/transport/transport.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus::nats {

inline constexpr int no_message_found = 10037;
inline constexpr int sequence_not_found = 10043;
inline constexpr int message_not_deleted = 10057;

/// Asks for the message at this sequence number.
[[nodiscard]] json message_request(std::uint64_t sequence);
/// Asks for the first message from this sequence number on.
[[nodiscard]] json next_message_request(std::uint64_t from);
/// Asks to remove the message, without overwriting it on the disk.
[[nodiscard]] json erase_request(std::uint64_t sequence);

/// The message in an answer that is no error. Throws `transport_failed`, with `text` and what is
/// wrong with the answer.
[[nodiscard]] transport::stored_message read_message(const json& answer, const std::string& text);

/// The bytes that a text in base64 (RFC 4648) stands for; empty if it is none.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// A time as RFC 3339 writes it, in UTC: "2026-01-31T08:30:00.123Z". Empty if it is none.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> read_time(
    std::string_view text) noexcept;

}  // namespace msgbus::nats
