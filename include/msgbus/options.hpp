#pragma once

/// The options and the results of mailboxes, streams and `drain`.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>

namespace msgbus {

/// A timeout that never ends.
inline constexpr std::chrono::steady_clock::duration forever =
    std::chrono::steady_clock::duration::max();

/// The action of a full mailbox when one more message arrives (A6).
enum class overflow {
  suspend,      ///< the default: `send` waits, in order of arrival; `post` is rejected
  reject,       ///< the new message is rejected
  drop_newest,  ///< the new message is accepted and dropped
  drop_oldest   ///< the message that has waited longest is dropped
};
std::ostream& operator<<(std::ostream& out, overflow value);

/// The options of a mailbox, or of the queue of a stream. A busy mailbox yields to its executor
/// after every batch of messages; an idle one costs nothing but memory (A11).
struct mailbox_options {
  std::size_t capacity = 1024;           ///< messages that may wait; at least 1, no upper limit
  overflow on_full = overflow::suspend;  ///< the action when the mailbox is full
  std::size_t concurrency = 1;           ///< messages handled concurrently; 1 keeps order (A4, A5)
};
std::ostream& operator<<(std::ostream& out, const mailbox_options& value);

/// The result of `send` and `post`: the number of mailboxes for each outcome. With `rejected` above
/// zero, a component did not get the message; to ignore that, write `(void)`.
struct [[nodiscard]] receipt {
  std::size_t admitted = 0;  ///< mailboxes that accepted the message
  std::size_t dropped = 0;   ///< mailboxes that dropped it, by `overflow::drop_newest`
  std::size_t rejected = 0;  ///< mailboxes that refused it: full, or of a closed component

  /// Adds the outcomes of other mailboxes.
  receipt& operator+=(const receipt& other) noexcept {
    admitted += other.admitted;
    dropped += other.dropped;
    rejected += other.rejected;
    return *this;
  }
  friend bool operator==(const receipt&, const receipt&) = default;
};
std::ostream& operator<<(std::ostream& out, const receipt& value);

/// The division of the time until the deadline of `drain` (A10).
struct drain_options {
  /// A duration of the steady clock.
  using duration = std::chrono::steady_clock::duration;

  /// The last part of the time until the deadline. When it begins, a component cancels its handlers
  /// and waits for their end; a bridge sends its remaining messages. The default is a tenth of the
  /// deadline, and at most one second.
  std::optional<duration> grace = std::nullopt;

  /// Whether a component waits for its scheduled messages until the grace begins. It accepts no
  /// other messages meanwhile, and its recurring schedules end immediately. Scheduled messages that
  /// are not in the mailbox by then are abandoned; without this option, they are abandoned
  /// immediately.
  bool wait_for_scheduled = false;

  /// The grace for this deadline: not negative, and not longer than the deadline.
  [[nodiscard]] constexpr duration grace_within(duration deadline) const noexcept {
    constexpr duration none = duration::zero(), second = std::chrono::seconds(1);
    const duration all = deadline < none ? none : deadline;
    const duration wanted = grace.value_or(all / 10 < second ? all / 10 : second);
    return wanted < none ? none : wanted > all ? all : wanted;
  }
};
std::ostream& operator<<(std::ostream& out, const drain_options& value);

/// The outcomes of the messages that were waiting or running when `drain` began (A10).
struct drain_report {
  std::uint64_t handled = 0;    ///< every handler succeeded
  std::uint64_t failed = 0;     ///< a handler threw
  std::uint64_t abandoned = 0;  ///< cancelled, never started, or still running at the deadline
  friend bool operator==(const drain_report&, const drain_report&) = default;
};
std::ostream& operator<<(std::ostream& out, const drain_report& value);

namespace async {
using msgbus::drain_options;
using msgbus::drain_report;
using msgbus::forever;
using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::receipt;
}  // namespace async

}  // namespace msgbus
