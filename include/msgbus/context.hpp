#pragma once

/// The metadata of the message that a handler runs for. A handler gets it as a parameter `const
/// context&`.

#include <msgbus/detail/core/config.hpp>
#include <msgbus/headers.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <map>  // the first program that the guide shows has it from here
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus {

namespace detail {
class active_span;
}  // namespace detail

/// The position of a message in a stream.
struct stream_position {
  std::string_view stream;     ///< the name of the stream
  std::uint64_t sequence = 0;  ///< the number of the message in it, from 1
};
std::ostream& operator<<(std::ostream& out, const stream_position& value);

/// The metadata that came with a message from another process. It does not change once it is
/// shared.
struct origin {
  std::string message_id;           ///< the same on every redelivery
  std::string correlation_id = {};  ///< empty: the message is the first of its chain
  std::string causation_id = {};    ///< the id of the direct parent
  unsigned deliveries = 1;          ///< deliveries in which a handler may have run, with this one
  msgbus::headers headers = {};     ///< all headers of the message
  std::shared_ptr<const std::string> stream = {};  ///< the stream that stores it; null: none
  std::uint64_t sequence = 0;                      ///< the number of the message in the stream
  std::shared_ptr<detail::active_span> span = {};  ///< for the library: the span in hand

  /// The correlation id of every message that this one leads to.
  [[nodiscard]] std::string_view chain() const noexcept {
    return correlation_id.empty() ? message_id : correlation_id;
  }
};
std::ostream& operator<<(std::ostream& out, const origin& value);

/// A view of data that the delivery owns. Copy what must live longer than the handler.
class context {
 public:
  /// Without a topic and without an origin.
  constexpr context() = default;
  /// Of a message that was sent to a topic in this process.
  constexpr explicit context(std::string_view topic) noexcept : topic_(topic) {}
  /// Of a message that came from another process.
  constexpr context(std::string_view topic, const origin& from, unsigned attempt = 1) noexcept
      : topic_(topic), origin_(&from), attempt_(attempt) {}

  /// Of a message that was made in this process, while a handler ran for a message with this
  /// origin; null: without one.
  static constexpr context caused_by(const origin* cause, std::string_view topic = {}) noexcept {
    context made(topic);
    made.origin_ = cause;
    made.made_here_ = cause != nullptr;
    return made;
  }

  /// The topic of the message; empty for events and operations.
  [[nodiscard]] constexpr std::string_view topic() const noexcept { return topic_; }

  /// Unique per message, and the same on every redelivery. Empty for a message that never left the
  /// process.
  [[nodiscard]] std::string_view message_id() const noexcept;

  /// The id of the first message of the chain that led to this one. Empty if no message from
  /// another process did.
  [[nodiscard]] std::string_view correlation_id() const noexcept;

  /// The id of the message whose handler sent this one. Empty if that has no id.
  [[nodiscard]] std::string_view causation_id() const noexcept;

  /// The number of this attempt: 1 for the first run of the handler with this message, 2 for the
  /// first repetition. Retries and redeliveries count. A redelivery does not count if this process
  /// knows that no handler ran in the previous delivery.
  [[nodiscard]] unsigned attempt() const noexcept;

  /// The position of a durable message in its stream, the same on every redelivery. Empty for other
  /// messages.
  [[nodiscard]] std::optional<stream_position> stored() const noexcept;

  /// The headers of the message. Empty for a message that never left the process.
  [[nodiscard]] const msgbus::headers& headers() const noexcept;

  /// The time by which this attempt must have ended, on the steady clock or on an installed test
  /// clock. A handler that blocks should check it: a timeout cannot interrupt such a handler. Empty
  /// without a `timeout` or a `deadline` in the handler's policy.
  [[nodiscard]] constexpr std::optional<std::chrono::steady_clock::time_point> deadline()
      const noexcept {
    return deadline_;
  }

  /// A copy with another topic.
  [[nodiscard]] constexpr context on(std::string_view topic) const noexcept {
    context moved(*this);
    moved.topic_ = topic;
    return moved;
  }

  /// A copy whose attempt number is higher by `times`.
  [[nodiscard]] constexpr context repeated(unsigned times) const noexcept {
    context again(*this);
    again.attempt_ += times;
    return again;
  }

  /// A copy with a deadline.
  [[nodiscard]] constexpr context until(
      std::chrono::steady_clock::time_point deadline) const noexcept {
    context limited(*this);
    limited.deadline_ = deadline;
    return limited;
  }

  /// The origin of the message, or of the message that caused it; null if there is none.
  [[nodiscard]] constexpr const origin* from() const noexcept { return origin_; }

 private:
  std::string_view topic_;
  const origin* origin_ = nullptr;
  bool made_here_ = false;  // the origin is that of its cause
  unsigned attempt_ = 1;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};
std::ostream& operator<<(std::ostream& out, const context& value);

namespace detail {
/// The context of a message without metadata.
inline constexpr context no_context;
}  // namespace detail

}  // namespace msgbus
