#pragma once

/// What users say of mailboxes and streams, and what those answer.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace msgbus {

/// As a time-out: none.
inline constexpr std::chrono::steady_clock::duration forever =
    std::chrono::steady_clock::duration::max();

/// What a full mailbox does with one more message (A6).
enum class overflow {
  suspend,      ///< `send` waits, first come first served; `post` is rejected
  reject,       ///< the message is refused
  drop_newest,  ///< the message is taken and discarded
  drop_oldest   ///< the message that has waited longest is discarded
};

/// A mailbox, or the queue of a stream. A busy mailbox lets its executor go on after every batch of
/// messages; an idle one costs nothing but memory (A11).
struct mailbox_options {
  std::size_t capacity = 1024;  ///< messages that may wait; at least 1, and as many as you like
  overflow on_full = overflow::suspend;
  std::size_t concurrency = 1;  ///< messages handled at once; 1 keeps their order (A4, A5)
};

/// What the mailboxes that a message was sent to have made of it; they add up to their number.
/// `rejected` says that somebody does not get the message: look at it, or say `(void)`.
struct [[nodiscard]] receipt {
  std::size_t admitted = 0;  ///< it waits to be handled
  std::size_t dropped = 0;   ///< it was discarded by `overflow::drop_newest`
  std::size_t rejected = 0;  ///< it was refused: the mailbox was full, or the component closed

  receipt& operator+=(const receipt& other) noexcept {
    admitted += other.admitted;
    dropped += other.dropped;
    rejected += other.rejected;
    return *this;
  }
  friend bool operator==(const receipt&, const receipt&) = default;
};

/// How `drain` divides the time until its deadline (A10).
struct drain_options {
  using duration = std::chrono::steady_clock::duration;

  /// The last part of the time until the deadline. A component cancels its handlers when it begins,
  /// and waits for their ends in it; a bridge sends what is left to be sent. Without a value it is
  /// a tenth of the deadline, and one second at most.
  std::optional<duration> grace = std::nullopt;

  /// The grace inside the deadline: never negative, never longer than the deadline.
  [[nodiscard]] constexpr duration grace_within(duration deadline) const noexcept {
    constexpr duration none = duration::zero(), second = std::chrono::seconds(1);
    const duration all = deadline < none ? none : deadline;
    const duration wanted = grace.value_or(all / 10 < second ? all / 10 : second);
    return wanted < none ? none : wanted > all ? all : wanted;
  }
};

/// What became of the messages that were waiting or running when `drain` began (A10).
struct drain_report {
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;
  std::uint64_t abandoned = 0;  ///< cancelled, never started, or still running at the deadline
  friend bool operator==(const drain_report&, const drain_report&) = default;
};

namespace async {
using msgbus::drain_options;
using msgbus::drain_report;
using msgbus::forever;
using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::receipt;
}  // namespace async

}  // namespace msgbus
