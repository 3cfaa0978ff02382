#pragma once

/// The interfaces through which a transport passes messages to a bridge, and a bridge settles them.

#include <msgbus/transport/envelope.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace msgbus::transport {

/// A received message of a stream. For one thread at a time.
///
/// One call of `ack`, `nak` or `term` settles it. Until then the transport reports it as in
/// progress, on a thread of its own: the message is not redelivered while the connection exists. A
/// delivery that is destroyed unsettled, or whose connection is lost, is redelivered after
/// `pull_options::ack_wait`. No function waits. They return false if the connection has ended for
/// good, so that the transport could not pass on the settlement.
class delivery {
 public:
  delivery(envelope received, unsigned deliveries, std::uint64_t place) noexcept
      : message(std::move(received)), times(deliveries), sequence(place) {}
  virtual ~delivery() = default;
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  envelope message;
  const unsigned times;          ///< the number of its deliveries, with this one
  const std::uint64_t sequence;  ///< its position in the stream, as `stored::sequence`

  /// The message is done: no redelivery.
  virtual bool ack() noexcept = 0;
  /// The message is given back: it is redelivered after `delay`.
  virtual bool nak(std::chrono::nanoseconds delay) noexcept = 0;
  /// The message is given up: it is not redelivered.
  virtual bool term() noexcept = 0;
};

/// Receives the envelopes of a subscription, one call at a time.
class sink {
 public:
  virtual ~sink() = default;

  /// Returns false if it refuses the envelope, because it is full or was stopped; the caller then
  /// drops and counts the envelope. With `may_wait`, the calling thread belongs to the transport,
  /// and the call may block it until there is space: that is the backpressure on the transport.
  virtual bool take(envelope&& message, bool may_wait) noexcept = 0;

  /// Called after one or several calls of `take`, on the same thread, when no envelope follows
  /// immediately, or after a limited number. The sink may pass on the envelopes since the last call
  /// as one batch.
  virtual void caught_up() noexcept {}

  /// The connection was lost. Envelopes that others send until it is back are missed. Called once
  /// for each loss, on any thread, possibly at the same time as `take`.
  virtual void interrupted() noexcept {}

  /// The other side has refused the subscription; no envelope follows. `why` names the pattern. Not
  /// called for a feed that was stopped, or whose transport was closed.
  virtual void ended(const std::exception_ptr& /*why*/) noexcept {}
};

/// Receives the deliveries of a source, one call at a time, and never more than requested. Must be
/// fast.
class delivery_sink {
 public:
  virtual ~delivery_sink() = default;
  virtual void take(std::unique_ptr<delivery> received) noexcept = 0;

  /// The source has ended; no delivery follows. `why` names the stream.
  virtual void ended(std::exception_ptr why) noexcept = 0;
};

}  // namespace msgbus::transport
