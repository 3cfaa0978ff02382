#pragma once

/// A message as servers write it: its headers as lines in one block, and a message of a stream in
/// JetStream's JSON. Pure.

#include "jetstream_json.hpp"

#include <msgbus/headers.hpp>
#include <msgbus/transport/transport.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus::nats {

// --- Headers. ------------------------------------------------------------------------------------

/// All headers as if they were one: a name that contains the lines before the last value, and the
/// last value. nats.c writes names as they are, so that it sends all of them, in their order; and
/// one is all that it has to allocate and to free. Of headers that can be sent
/// (`transport::check_envelope`), so that none contains the end of a line; at least one. The
/// headers must outlive it.
class joined_headers {
 public:
  explicit joined_headers(const headers& all);
  joined_headers(const joined_headers&) = delete;
  joined_headers& operator=(const joined_headers&) = delete;

  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] const char* value() const noexcept { return value_; }

 private:
  std::array<char, 512> inside_;  // NOLINT: set as far as it is used
  std::string outside_;           // where that is too small
  const char* name_ = nullptr;
  const char* value_ = nullptr;
};

/// Reads the headers of a block, in their order; values lose the blanks at their ends. False, and
/// there are none, if it is another block than one of names and values in one line each: it has a
/// status, continued lines, or faults.
[[nodiscard]] bool read_header_block(std::string_view block, headers& into);

// --- Messages of a stream. -----------------------------------------------------------------------

inline constexpr int no_message_found = 10037;
inline constexpr int sequence_not_found = 10043;
inline constexpr int message_not_deleted = 10057;

/// Asks for the message at this sequence number.
[[nodiscard]] json message_request(std::uint64_t sequence);
/// Asks for the first message from this sequence number on.
[[nodiscard]] json next_message_request(std::uint64_t from);
/// Asks to remove the message, without overwriting it on the disk.
[[nodiscard]] json erase_request(std::uint64_t sequence);

/// The message in a reply that is no error. Throws `transport_failed`, with `text` and the defect
/// of the reply.
[[nodiscard]] transport::stored_message read_message(const json& answer, const std::string& text);

/// The bytes that a text in base64 (RFC 4648) stands for; empty if it is none.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// A time as RFC 3339 writes it, in UTC: "2026-01-31T08:30:00.123Z". Empty if it is none.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> read_time(
    std::string_view text) noexcept;

}  // namespace msgbus::nats
