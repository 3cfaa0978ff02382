#pragma once

/// What a link counts, and what it is behind its handle.

#include <cstdint>
#include <string>

namespace msgbus {

/// What went over a link so far. Exact at quiet moments; then, for what comes in,
/// `received = admitted + undecodable + refused + answered`, and for durable ones
/// `received = acks + naks + buried` besides.
struct link_counters {
  std::uint64_t sent = 0;         ///< given to the transport
  std::uint64_t unsent = 0;       ///< it refused them, or they could not be encoded
  std::uint64_t waiting = 0;      ///< in an outbound mailbox, or an inbound buffer, just now
  std::uint64_t received = 0;     ///< taken from the transport
  std::uint64_t redelivered = 0;  ///< of those, not for the first time
  std::uint64_t admitted = 0;     ///< in the component's mailbox
  std::uint64_t undecodable = 0;  ///< given up before any handler: also without having been read
  std::uint64_t refused = 0;      ///< by the component: it is closed, or its mailbox full
  std::uint64_t dropped = 0;      ///< before they were received: nobody took them in time
  std::uint64_t answered = 0;     ///< commands that were carried out
  std::uint64_t errors = 0;       ///< of those, answered with an error
  std::uint64_t acks = 0;
  std::uint64_t naks = 0;
  std::uint64_t buried = 0;     ///< never delivered again, though not handled
  std::uint64_t unsettled = 0;  ///< the connection was gone when they should have been settled
  std::uint64_t in_flight = 0;  ///< received and not settled, just now
  std::uint64_t shortened = 0;  ///< dead letters that could not be stored whole
};

namespace bridging {

/// What a link is behind its handle.
class link_state {
 public:
  virtual ~link_state() = default;
  virtual void cancel() noexcept = 0;
  [[nodiscard]] virtual bool active() const noexcept = 0;
  [[nodiscard]] virtual link_counters stats() const noexcept = 0;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
};

}  // namespace bridging

}  // namespace msgbus
