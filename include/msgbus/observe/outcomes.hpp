#pragma once

/// What a component counts of its messages, without slowing its threads down.

#include <msgbus/core/namespaces.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

/// What may become of a message. `begun` is one that an awaited verb has brought; an attempt that
/// `overran` its time is none of these, and counts beside them.
enum class outcome { begun, rejected, handled, failed, dropped, abandoned, unrouted, overran };

inline constexpr std::size_t own_stripes = 7;

/// The stripe that belongs to this thread alone, or `own_stripes` for one that is shared.
[[nodiscard]] std::size_t claim_stripe() noexcept;
extern constinit thread_local std::size_t this_stripe;  // `own_stripes` + 1 before it is claimed

inline std::size_t stripe_of_thread() noexcept {
  return this_stripe <= own_stripes ? this_stripe : claim_stripe();
}

/// Counts by outcome. Each of the first few living threads has a line of counters of its own, which
/// it increases without a locked instruction; later ones share a line. Reading sums them up: exact
/// when nobody counts, or after a grace period of the guards under which was counted.
class outcomes {
 public:
  void add(outcome what, std::uint64_t many = 1) noexcept {
    const std::size_t mine = stripe_of_thread();
    count& at = lines_[mine].counts[static_cast<std::size_t>(what)];
    if (mine < own_stripes) [[likely]] {
      at.store(at.load(std::memory_order_relaxed) + many, std::memory_order_relaxed);
    } else {
      at.fetch_add(many, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] std::uint64_t sum(outcome what) const noexcept {
    std::uint64_t total = 0;
    for (const line& each : lines_) {
      total += each.counts[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
    }
    return total;
  }

 private:
  using count = std::atomic<std::uint64_t>;
  struct alignas(64) line {
    std::array<count, 8> counts{};
  };
  std::array<line, own_stripes + 1> lines_{};
};

}  // namespace msgbus::detail
