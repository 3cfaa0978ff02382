#pragma once

/// An envelope that a transport keeps until it is settled.

#include <msgbus/transport/envelope.hpp>

#include <chrono>
#include <cstdint>
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
  const std::uint64_t sequence;  ///< its place in the stream, as `stored::sequence`

  /// Done: it is not delivered again.
  virtual bool ack() noexcept = 0;
  /// Failed: it is delivered again, when `delay` has passed.
  virtual bool nak(std::chrono::nanoseconds delay) noexcept = 0;
  /// It is never delivered again, though it was not handled.
  virtual bool term() noexcept = 0;
};

}  // namespace msgbus::transport
