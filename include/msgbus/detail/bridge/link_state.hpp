#pragma once

/// The counters of a link, and the interface behind its handle.

#include <cstdint>
#include <iosfwd>
#include <string>

namespace msgbus {

/// The counts of a link so far, exact while the link is quiet. An inbound link then has
/// `received = admitted + undecodable + refused + answered`, and a durable one also
/// `received = acks + naks + dead_lettered + unsettled`.
struct link_counters {
  std::uint64_t sent = 0;           ///< passed to the transport
  std::uint64_t unsent = 0;         ///< refused by the transport, or not encodable
  std::uint64_t waiting = 0;        ///< now in an outbound mailbox, or an inbound buffer
  std::uint64_t received = 0;       ///< received from the transport
  std::uint64_t redelivered = 0;    ///< received again
  std::uint64_t admitted = 0;       ///< accepted by the component's mailbox
  std::uint64_t undecodable = 0;    ///< given up before a handler ran
  std::uint64_t refused = 0;        ///< by the component: closed, or mailbox full
  std::uint64_t dropped = 0;        ///< by the transport, because the link was too slow
  std::uint64_t answered = 0;       ///< commands with a reply
  std::uint64_t errors = 0;         ///< commands with an error as the reply
  std::uint64_t acks = 0;           ///< settled as done
  std::uint64_t naks = 0;           ///< settled as failed, or returned
  std::uint64_t dead_lettered = 0;  ///< dead-lettered, or given up without a dead letter
  std::uint64_t unsettled = 0;      ///< handled, but the connection was lost before the settlement
  std::uint64_t in_flight = 0;      ///< now received and not settled
  std::uint64_t shortened = 0;      ///< dead letters that lack a part of the message
  std::uint64_t replayed = 0;       ///< dead letters that were replayed here; not in `received`
};
std::ostream& operator<<(std::ostream& out, const link_counters& value);

namespace bridging {

/// The interface of a link behind its handle.
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
