#pragma once

/// Where transports put what comes in.

#include <msgbus/transport/delivery.hpp>

#include <exception>
#include <memory>

namespace msgbus::transport {

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
