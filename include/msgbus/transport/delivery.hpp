#pragma once

/// What a transport gives to a bridge: messages, and the settling of those that are stored.

#include <msgbus/transport/envelope.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace msgbus::transport {

/// Owned by one thread at a time. Settled by one of `ack`, `nak` and `term`, once. As long as it
/// lives unsettled it is in progress: the transport does not deliver its message again while the
/// connection is there, whatever the threads and executors of its owner do. What is destroyed
/// unsettled, or whose connection is lost, is delivered again when the transport's patience ends.
/// No function waits; false says that the connection is gone for good and the transport was not
/// told.
class delivery {
 public:
  delivery(envelope received, unsigned deliveries, std::uint64_t place) noexcept
      : message(std::move(received)), times(deliveries), sequence(place) {}
  virtual ~delivery() = default;
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  envelope message;
  const unsigned times;          ///< how often it has been delivered, this time included
  const std::uint64_t sequence;  ///< its position in the stream, as `stored::sequence`

  /// Done: it is not delivered again.
  virtual bool ack() noexcept = 0;
  /// Failed: it is delivered again, when `delay` has passed.
  virtual bool nak(std::chrono::nanoseconds delay) noexcept = 0;
  /// It is never delivered again, though it was not handled.
  virtual bool term() noexcept = 0;
};

/// Takes the envelopes of a subscription, one call at a time.
class sink {
 public:
  virtual ~sink() = default;

  /// False if it was refused: there is no room, or no more interest; it is then dropped, and
  /// counted by whoever called. With `may_wait` the calling thread is the transport's own, and may
  /// be kept until there is room: so the transport is held back.
  virtual bool take(envelope&& message, bool may_wait) noexcept = 0;

  /// Called after `take`, by the same thread, when nothing follows at once, or enough has come
  /// together: what was taken since the last call may be handed on together.
  virtual void caught_up() noexcept {}

  /// The connection was lost, whether or not it comes back: what others send meanwhile does not
  /// come. Called once for each loss, from any thread; `take` may be called at the same time.
  virtual void interrupted() noexcept {}

  /// The other side refuses the subscription: nothing more is given. `why` names its pattern. Not
  /// called for a feed that was stopped, or whose transport was closed.
  virtual void ended(const std::exception_ptr& /*why*/) noexcept {}
};

/// Takes the deliveries of a source, one call at a time and never more than were asked for. Must be
/// quick.
class delivery_sink {
 public:
  virtual ~delivery_sink() = default;
  virtual void take(std::unique_ptr<delivery> received) noexcept = 0;

  /// The source has ended, or cannot go on; it gives nothing more. `why` names the stream.
  virtual void ended(std::exception_ptr why) noexcept = 0;
};

}  // namespace msgbus::transport
