#pragma once

/// The states of a circuit breaker. Pure: the time is a parameter. For one thread at a time.

#include <msgbus/detail/core/config.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

/// States: closed -> open (too many failures) -> half_open (at the first call after the time of
/// `open`) -> closed (all probes succeeded) or open (a probe failed, or they took too long). From
/// each of them `isolate` leads to isolated, and `reset` to closed.
enum class breaker_phase : std::uint8_t { closed, open, half_open, isolated };

class breaker_machine {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  struct settings {
    double failure_ratio;
    std::size_t minimum;
    duration sampling;
    duration open_for;
    duration max_open_for;
    std::size_t half_open_permits;
  };
  explicit breaker_machine(const settings& asked) noexcept;

  /// The ticket of a call that was let through. `leave` takes it back once, with the outcome.
  struct ticket {
    std::uint64_t generation = 0;
    bool is_probe = false;
  };
  enum class verdict { succeeded, failed, ignored };

  /// Whether `try_enter` would let a call through now.
  [[nodiscard]] bool may_enter(time_point now) const noexcept;
  /// Lets a call through, and sets its ticket; or returns false.
  [[nodiscard]] bool try_enter(time_point now, ticket& given) noexcept;
  /// Records the outcome of the call. `ignored` is no outcome of the downstream; it only returns a
  /// probe's permit. A ticket from before the last change of state is ignored too.
  void leave(const ticket& given, verdict result, time_point now) noexcept;

  /// The time for the next request: the end of `open`, or of the longest stay in `half_open`;
  /// `time_point::max()` if only a change of state lets calls through.
  [[nodiscard]] time_point retry_at() const noexcept;

  [[nodiscard]] breaker_phase phase() const noexcept { return phase_; }
  /// The number of changes of the state.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

  void isolate() noexcept;
  void reset() noexcept;

 private:
  struct bucket {
    std::int64_t number = -1;  // of its time slice
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
  };
  static constexpr std::size_t buckets = 10;

  void enter(breaker_phase phase) noexcept;
  void open(time_point now) noexcept;
  void close(time_point now) noexcept;
  void forget_calls() noexcept;
  void count(bool failed, time_point now) noexcept;
  [[nodiscard]] bucket& bucket_at(time_point now) noexcept;
  [[nodiscard]] bool fails_too_often(time_point now) const noexcept;
  [[nodiscard]] std::int64_t number_at(time_point now) const noexcept;

  const settings settings_;
  const duration bucket_length_;

  breaker_phase phase_ = breaker_phase::closed;
  std::uint64_t generation_ = 0;
  std::array<bucket, buckets> window_{};
  // Of the last call that was counted: most fall into the same time slice.
  std::size_t latest_ = buckets;  // its place; `buckets`: none since the last change of state
  time_point latest_from_{};
  time_point until_{};         // of `open`, or of `half_open`
  time_point closed_at_{};     // the time of the last closing
  std::size_t openings_ = 0;   // in a row, without a quiet time in between
  std::size_t permits_ = 0;    // of `half_open`, left
  std::size_t successes_ = 0;  // of its probes
};

}  // namespace msgbus::detail
