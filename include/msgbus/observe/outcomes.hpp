#pragma once

/// What a component counts of its messages, without slowing its threads down.

#include <msgbus/observe/striped_counter.hpp>

#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

/// What may become of a message. `begun` is one that an awaited verb has brought; an attempt that
/// `overran` its time is none of these, and counts beside them.
enum class outcome { begun, rejected, handled, failed, dropped, abandoned, unrouted, overran };

/// Counts by outcome. Whoever holds one keeps it apart from what every message reads.
class outcomes {
 public:
  void add(outcome what, std::uint64_t many = 1) noexcept {
    counts_.add(static_cast<std::size_t>(what), many);
  }
  [[nodiscard]] std::uint64_t sum(outcome what) const noexcept {
    return counts_.sum(static_cast<std::size_t>(what));
  }

 private:
  striped_counts<static_cast<std::size_t>(outcome::overran) + 1> counts_;
};

}  // namespace msgbus::detail
