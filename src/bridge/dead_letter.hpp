#pragma once

/// The dead letter of a message. Pure.

#include <msgbus/detail/core/failures.hpp>
#include <msgbus/transport/envelope.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace msgbus::bridging {

/// A message that is given up: its origin and the reason.
struct given_up {
  std::string_view stream;
  std::string_view durable;
  std::uint64_t sequence = 0;  // its position in the stream
  std::string_view id;         // the id of the message, or a substitute
  unsigned attempts = 1;
  std::string_view reason;
  std::uint64_t replay_of = 0;  // the position of the dead letter whose replay has failed; 0: none
};

/// The parts of a message in its dead letter. A server may refuse a dead letter that is too large,
/// or a header of the message; then a shorter form is tried. Each form leaves out the parts that
/// the previous ones leave out.
enum class extent {
  whole,
  short_reason,
  own_headers,  // only headers for the payload's type and for the reason
  no_payload,   // a header has its size
};
inline constexpr std::array all_extents{extent::whole, extent::short_reason, extent::own_headers,
                                        extent::no_payload};

/// The dead letter, without a topic. Its message id is made from stream, durable, sequence, message
/// and replay, so each is stored exactly once. Instructions to a stream ("Nats-...") are left out.
[[nodiscard]] envelope dead_letter(const envelope& message, const given_up& details, extent kept);

/// Distinguishes messages at the same sequence of a stream that was created again.
[[nodiscard]] std::uint64_t message_digest(std::string_view id, std::string_view payload) noexcept;

/// The reason from the exceptions of handlers; never blank.
[[nodiscard]] std::string reason_of(const failures& failed);

}  // namespace msgbus::bridging
