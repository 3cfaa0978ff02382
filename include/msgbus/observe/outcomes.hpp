#pragma once

/// The counts of a component's messages, by outcome. Threads that count do not slow each other
/// down.

#include <msgbus/observe/striped_counter.hpp>

#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

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
