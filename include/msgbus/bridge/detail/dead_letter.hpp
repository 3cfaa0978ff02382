#pragma once

/// What is stored of a message that is given up. Pure.

#include <msgbus/core/failures.hpp>
#include <msgbus/transport/envelope.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace msgbus::bridging {

/// A message that is given up: where it came from, and why.
struct given_up {
  std::string_view stream;
  std::string_view durable;
  std::uint64_t sequence = 0;  // its place in the stream
  std::string_view id;         // the message's, or what stands for one
  unsigned attempts = 1;
  std::string_view reason;
};

/// How much of a message its dead letter has. A server may refuse a letter that is too large, or a
/// header that came with the message: what is shorter is tried then. Each leaves out what those
/// before it leave out.
enum class extent {
  whole,
  short_reason,
  own_headers,  // none but those that say what the payload is, and why it is given up
  no_payload,   // a header says how long it was
};
inline constexpr std::array all_extents{extent::whole, extent::short_reason, extent::own_headers,
                                        extent::no_payload};

/// The letter, without a topic. Its message id is made from stream, durable, sequence and message,
/// so that each is stored once, and each is stored. What is an instruction to a stream
/// ("Nats-...") is left out.
[[nodiscard]] envelope dead_letter(const envelope& message, const given_up& about, extent how);

/// Tells messages apart that come from the same place of a stream that was made again.
[[nodiscard]] std::uint64_t message_digest(std::string_view id, std::string_view payload) noexcept;

/// The reason of what handlers have thrown; never blank.
[[nodiscard]] std::string reason_of(const failures& failed);

}  // namespace msgbus::bridging
