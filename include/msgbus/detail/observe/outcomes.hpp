#pragma once

/// Counters that many threads count in without slowing each other down.

#include <msgbus/detail/core/on_demand.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

inline constexpr std::size_t own_stripes = 7;

/// The stripe that belongs to this thread alone, or `own_stripes` for one that is shared.
[[nodiscard]] std::size_t claim_stripe() noexcept;
extern constinit thread_local std::size_t this_stripe;  // `own_stripes` + 1 before it is claimed

inline std::size_t stripe_of_thread() noexcept {
  return this_stripe <= own_stripes ? this_stripe : claim_stripe();
}

/// Counts of a few kinds. Each of the first few living threads has counts of its own, which it
/// increases without a locked instruction; later ones share some. The first thread's are in the
/// object; those of the others are allocated when a second thread counts. Reading sums them up:
/// exact while no thread counts, or after a grace period of the guards of the counting threads.
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

  // Only one thread adds to it.
  static void increase(count& at, std::uint64_t many) noexcept {
    at.store(at.load(std::memory_order_relaxed) + many, std::memory_order_relaxed);
  }

  // Without memory to count in, there is no going on.
  void add_elsewhere(std::size_t mine, std::size_t kind, std::uint64_t many) noexcept {
    if (mine == own_stripes) {  // that one is shared
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

/// Counts one thing, which is rare.
class striped_counter {
 public:
  striped_counter() noexcept;
  ~striped_counter();
  void add() noexcept;
  [[nodiscard]] std::uint64_t sum() const noexcept;

 private:
  striped_counts<1> counts_;
};

/// The outcome of a message. `begun` is a message of an awaited verb. `overran` is counted beside
/// the outcomes: an attempt that took too long.
enum class outcome { begun, rejected, handled, failed, dropped, abandoned, unrouted, overran };

/// Counts by outcome. Keep it apart from memory that every message reads.
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
