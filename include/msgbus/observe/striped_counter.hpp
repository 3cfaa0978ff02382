#pragma once

/// A counter that threads may add to without slowing each other down.

#include <msgbus/core/namespaces.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace msgbus::detail {

/// Every thread adds to one of a few stripes, each on a cache line of its own; reading sums them.
class striped_counter {
 public:
  void add() noexcept { stripes_[own()].count.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t sum() const noexcept {
    std::uint64_t total = 0;
    for (const stripe& each : stripes_) total += each.count.load(std::memory_order_relaxed);
    return total;
  }

 private:
  static constexpr std::size_t count = 8;

  // The next thread gets the next stripe.
  static std::size_t own() noexcept {
    static constinit std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % count;
    return mine;
  }

  struct alignas(64) stripe {
    std::atomic<std::uint64_t> count{0};
  };
  std::array<stripe, count> stripes_;
};

}  // namespace msgbus::detail
