#pragma once

/// How many messages took which step.

#include <msgbus/observe/observer.hpp>

#include <atomic>
#include <cstdint>

namespace msgbus {

/// What became of a component's messages (A7): `offered = accepted + rejected`, and at every quiet
/// moment `accepted = handled + failed + dropped + abandoned`. A message without a handler counts
/// as handled and as unrouted.
struct counters {
  std::uint64_t offered = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t unrouted = 0;
  std::uint64_t overran =
      0;  ///< attempts that took longer than their `timeout`, however they ended
};

/// Counts steps. May observe several components at once; every function is thread-safe.
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

  /// Messages that were taken.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  /// Handlers that ended well.
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
  /// Failures of handlers and of clean-ups.
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }
  /// Attempts that took longer than their policy's `timeout`.
  [[nodiscard]] std::uint64_t overran() const noexcept { return overran_; }
  /// Messages that were discarded.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  /// Messages that nobody handled.
  [[nodiscard]] std::uint64_t unrouted() const noexcept { return unrouted_; }
  /// Messages that were given up.
  [[nodiscard]] std::uint64_t abandoned() const noexcept { return abandoned_; }
  /// Messages that were refused.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }

 private:
  using count = std::atomic<std::uint64_t>;
  static void add(count& to) noexcept { to.fetch_add(1, std::memory_order_relaxed); }

  count accepted_{0}, delivered_{0}, failed_{0}, overran_{0}, dropped_{0}, unrouted_{0},
      abandoned_{0}, rejected_{0};
};

}  // namespace msgbus
