#pragma once

/// What is known of the message in hand. A handler that wants it takes a `const context&`.

#include <msgbus/core/headers.hpp>
#include <msgbus/core/namespaces.hpp>

#include <chrono>
#include <cstdint>
#include <map>  // the first program that the guide shows has it from here
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus {

/// A message's place in a stream.
struct stream_place {
  std::string_view stream;
  std::uint64_t sequence = 0;
};

/// What came with a message from another process. Never changed once it is shared.
struct origin {
  std::string message_id;
  std::string correlation_id = {};  // empty: the message is the first of its chain
  std::string causation_id = {};
  unsigned deliveries = 1;  // in how many a handler may have run, this one included
  msgbus::headers headers = {};
  std::shared_ptr<const std::string> stream = {};  // that holds it; null: none does
  std::uint64_t sequence = 0;                      // its place there

  /// Of everything that this message leads to.
  [[nodiscard]] std::string_view chain() const noexcept {
    return correlation_id.empty() ? message_id : correlation_id;
  }
};

/// It refers to what its delivery holds: copy what must live longer than the handler.
class context {
 public:
  constexpr context() = default;
  constexpr explicit context(std::string_view topic) noexcept : topic_(topic) {}
  /// Of a message that came from elsewhere.
  constexpr context(std::string_view topic, const origin& from, unsigned attempt = 1) noexcept
      : topic_(topic), origin_(&from), attempt_(attempt) {}

  /// Of a message that was made here while one that came from elsewhere was handled; null: while
  /// none was.
  static constexpr context caused_by(const origin* cause, std::string_view topic = {}) noexcept {
    context made(topic);
    made.origin_ = cause;
    made.made_here_ = cause != nullptr;
    return made;
  }

  /// The topic that the message was sent to; empty for events and operations.
  [[nodiscard]] constexpr std::string_view topic() const noexcept { return topic_; }

  /// Unique per message and the same on every redelivery; empty for one that never left the
  /// process.
  [[nodiscard]] std::string_view message_id() const noexcept;

  /// The same for everything that one first message led to, and that message's id; empty where no
  /// message from elsewhere led to this one.
  [[nodiscard]] std::string_view correlation_id() const noexcept;

  /// The id of the message whose handler sent this one; empty if there is none with an id.
  [[nodiscard]] std::string_view causation_id() const noexcept;

  /// 1 for the first time that this handler gets this message, 2 for its first repetition,
  /// redeliveries included. A redelivery does not count if this process knows that no handler ran
  /// in the one before.
  [[nodiscard]] unsigned attempt() const noexcept;

  /// Where a durable message is stored: the same on every redelivery. Empty for all others.
  [[nodiscard]] std::optional<stream_place> stored() const noexcept;

  /// Empty for a message that never left the process.
  [[nodiscard]] const msgbus::headers& headers() const noexcept;

  /// When this attempt is to have ended, on the steady clock or the one that a test has installed:
  /// a handler that blocks looks at it, since nothing interrupts one. Empty without a `timeout` in
  /// the handler's policy.
  [[nodiscard]] constexpr std::optional<std::chrono::steady_clock::time_point> deadline()
      const noexcept {
    return deadline_;
  }

  /// The same message elsewhere, once more, or for no longer than this.
  [[nodiscard]] constexpr context on(std::string_view topic) const noexcept {
    context moved(*this);
    moved.topic_ = topic;
    return moved;
  }
  [[nodiscard]] constexpr context repeated(unsigned times) const noexcept {
    context again(*this);
    again.attempt_ += times;
    return again;
  }
  [[nodiscard]] constexpr context until(
      std::chrono::steady_clock::time_point deadline) const noexcept {
    context limited(*this);
    limited.deadline_ = deadline;
    return limited;
  }

  /// What came with it, or with what led to it; null if nothing.
  [[nodiscard]] constexpr const origin* from() const noexcept { return origin_; }

 private:
  std::string_view topic_;
  const origin* origin_ = nullptr;
  bool made_here_ = false;  // the origin is that of its cause
  unsigned attempt_ = 1;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

namespace detail {
/// Of a message of which nothing is known.
inline constexpr context no_context;
}  // namespace detail

}  // namespace msgbus
