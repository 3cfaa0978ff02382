#pragma once

/// Counters that many threads increase without contention.

#include <msgbus/detail/core/on_demand.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

inline constexpr std::size_t own_stripes = 7;

/// The index of a stripe for this thread alone, or `own_stripes`, the index of the shared stripe.
[[nodiscard]] std::size_t claim_stripe() noexcept;
extern constinit thread_local std::size_t this_stripe;  // `own_stripes` + 1 before it is claimed

inline std::size_t stripe_of_thread() noexcept {
  return this_stripe <= own_stripes ? this_stripe : claim_stripe();
}

/// Counts of a few kinds. Each of the first `own_stripes` living threads has its own counts, and
/// increases them without a locked instruction. Later threads share one set of counts. The first
/// thread's counts are in the object; the others are allocated when a second thread counts. `sum`
/// adds them up. The sum is exact while no thread counts, or after a grace period of the guards of
/// the counting threads.
template <std::size_t Kinds>
class striped_counts {
 public:
  striped_counts() = default;
  striped_counts(const striped_counts&) = delete;
  striped_counts& operator=(const striped_counts&) = delete;

  void add(std::size_t kind, std::uint64_t many = 1) noexcept {
    const std::size_t mine = stripe_of_thread();
    if (mine == first_.load(std::memory_order_relaxed)) [[likely]] {
      increase(own_[kind], many);
    } else {
      add_elsewhere(mine, kind, many);
    }
  }

  /// Adds 1 to `kind`, and `many` to `sum`.
  void add_with(std::size_t kind, std::size_t sum, std::uint64_t many) noexcept {
    const std::size_t mine = stripe_of_thread();
    if (mine == first_.load(std::memory_order_relaxed)) [[likely]] {
      increase(own_[kind], 1);
      increase(own_[sum], many);
    } else {
      add_elsewhere(mine, kind, 1);
      add_elsewhere(mine, sum, many);
    }
  }

  [[nodiscard]] std::uint64_t sum(std::size_t kind) const noexcept {
    std::uint64_t total = own_[kind].load(std::memory_order_relaxed);
    if (const lines* const others = others_.get()) {
      for (const line& each : *others) total += each.counts[kind].load(std::memory_order_relaxed);
    }
    return total;
  }

 private:
  using count = std::atomic<std::uint64_t>;
  struct alignas(64) line {
    std::array<count, Kinds> counts{};
  };
  using lines = std::array<line, own_stripes + 1>;

  static constexpr std::size_t nobody = own_stripes + 1;

  // For a count that only one thread increases.
  static void increase(count& at, std::uint64_t many) noexcept {
    at.store(at.load(std::memory_order_relaxed) + many, std::memory_order_relaxed);
  }

  // `noexcept`: without memory for the counts, the program cannot continue.
  void add_elsewhere(std::size_t mine, std::size_t kind, std::uint64_t many) noexcept {
    if (mine == own_stripes) {  // the shared stripe
      others_.made()[mine].counts[kind].fetch_add(many, std::memory_order_relaxed);
      return;
    }
    std::size_t first = nobody;
    if (first_.compare_exchange_strong(first, mine, std::memory_order_relaxed)) {
      increase(own_[kind], many);
    } else {
      increase(others_.made()[mine].counts[kind], many);
    }
  }

  std::atomic<std::size_t> first_{nobody};  // the stripe whose counts are in the object
  on_demand<lines> others_;
  std::array<count, Kinds> own_{};
};

/// Counts a rare event.
class striped_counter {
 public:
  striped_counter() noexcept;
  ~striped_counter();
  void add() noexcept;
  [[nodiscard]] std::uint64_t sum() const noexcept;

 private:
  striped_counts<1> counts_;
};

/// The outcome of a message. `begun` is a message of an awaited verb. `overran` is an attempt that
/// took too long; it is counted in addition to the outcome of its message.
enum class outcome { begun, rejected, handled, failed, dropped, abandoned, unrouted, overran };

/// Counts by outcome. Place it apart from memory that every message reads.
class outcomes {
 public:
  void add(outcome result, std::uint64_t many = 1) noexcept {
    counts_.add(static_cast<std::size_t>(result), many);
  }
  [[nodiscard]] std::uint64_t sum(outcome result) const noexcept {
    return counts_.sum(static_cast<std::size_t>(result));
  }

 private:
  striped_counts<static_cast<std::size_t>(outcome::overran) + 1> counts_;
};

}  // namespace msgbus::detail
