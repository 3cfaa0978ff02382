#pragma once

/// Reads dead letters from their stream, and the requests and replies about their replay. Pure.

#include <msgbus/bridge/dead_letters.hpp>
#include <msgbus/transport/transport.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus::bridging {

/// Why a message of a stream is no dead letter; empty if it is one.
[[nodiscard]] std::string why_no_letter(const transport::stored_message& one);

/// Of a message that is one.
[[nodiscard]] stored_dead_letter read_letter(transport::stored_message one);

/// The message as the durable link had it.
[[nodiscard]] envelope message_of(const stored_dead_letter& letter);

/// The durable link, for people.
[[nodiscard]] std::string link_name(std::string_view stream, std::string_view durable);

// --- Replays. A person asks for one, and a process that has the link does it. --------------------

inline constexpr std::string_view replay_prefix = "_MSGBUS.REPLAY";

/// The topic at which the links of this durable name listen. Names of streams and durables are
/// tokens.
[[nodiscard]] std::string replay_topic(std::string_view stream, std::string_view durable);

/// The position of a dead letter.
struct letter_position {
  std::string stream;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const letter_position&, const letter_position&) = default;
};
[[nodiscard]] std::string write_request(const letter_position& of);
[[nodiscard]] std::optional<letter_position> read_request(std::string_view text);

enum class replay_end {
  handled,  // the dead letter is removed
  failed,   // another one is stored, and this one removed
  stays
};
struct replay_result {
  replay_end end = replay_end::stays;
  std::string why = {};  // it stays
};
[[nodiscard]] std::string write_result(const replay_result& of);
/// An answer that is none of these means that it stays.
[[nodiscard]] replay_result read_result(std::string_view text);

}  // namespace msgbus::bridging
