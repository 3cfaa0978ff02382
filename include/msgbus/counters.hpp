#pragma once

/// The number of messages for each step and outcome.

#include <msgbus/observer.hpp>

#include <atomic>
#include <cstdint>
#include <iosfwd>

namespace msgbus {

/// The outcomes of a component's messages (A7). Always `offered = accepted + rejected`; and
/// `accepted = handled + failed + dropped + abandoned` while the component is quiet. A message
/// without a handler counts as handled and as unrouted.
struct counters {
  std::uint64_t offered = 0;    ///< all messages that were sent to the component
  std::uint64_t accepted = 0;   ///< messages that the component accepted
  std::uint64_t rejected = 0;   ///< messages that it refused: mailbox full, or component closed
  std::uint64_t handled = 0;    ///< messages whose handlers all succeeded
  std::uint64_t failed = 0;     ///< messages with a handler that failed
  std::uint64_t dropped = 0;    ///< messages that an overflow policy discarded
  std::uint64_t abandoned = 0;  ///< messages that were cancelled, or never handled
  std::uint64_t unrouted = 0;   ///< messages without a handler
  std::uint64_t overran = 0;    ///< attempts that took longer than their `timeout`
  std::uint64_t scheduled = 0;  ///< messages that were scheduled for later; offered when due
};
std::ostream& operator<<(std::ostream& out, const counters& value);

/// Counts the steps of messages. May observe several components at the same time. Thread-safe.
class counting_observer : public observer {
 public:
  void accepted(const step&) noexcept override { add(accepted_); }
  void delivered(const step&) noexcept override { add(delivered_); }
  void failed(const step&, const std::exception_ptr&) noexcept override { add(failed_); }
  void overran(const step&, std::chrono::steady_clock::duration) noexcept override {
    add(overran_);
  }
  void dropped(const step&) noexcept override { add(dropped_); }
  void unrouted(const step&) noexcept override { add(unrouted_); }
  void abandoned(const step&) noexcept override { add(abandoned_); }
  void rejected(const step&) noexcept override { add(rejected_); }

  /// Messages that components accepted.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  /// Handlers that succeeded.
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
  /// Failures of handlers and of clean-ups.
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }
  /// Attempts that took longer than their policy's `timeout`.
  [[nodiscard]] std::uint64_t overran() const noexcept { return overran_; }
  /// Messages that an overflow policy discarded.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  /// Messages without a handler.
  [[nodiscard]] std::uint64_t unrouted() const noexcept { return unrouted_; }
  /// Messages that were cancelled, or never handled.
  [[nodiscard]] std::uint64_t abandoned() const noexcept { return abandoned_; }
  /// Messages that components refused.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }

 private:
  using count = std::atomic<std::uint64_t>;
  static void add(count& to) noexcept { to.fetch_add(1, std::memory_order_relaxed); }

  count accepted_{0}, delivered_{0}, failed_{0}, overran_{0}, dropped_{0}, unrouted_{0},
      abandoned_{0}, rejected_{0};
};

}  // namespace msgbus
