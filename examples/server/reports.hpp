#pragma once

/// What a program made of components says of them: while it runs, and at its end.

#include <msgbus/counters.hpp>
#include <msgbus/options.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "json_fwd.hpp"

namespace exchange {

struct component_stats {
  std::string name;
  msgbus::counters counters;
  std::uint64_t left_over = 0;  ///< that it has handled, but not to the end

  /// Waiting or running.
  [[nodiscard]] std::uint64_t open() const noexcept {
    return counters.accepted - counters.handled - counters.failed - counters.dropped -
           counters.abandoned + left_over;
  }
};
void to_json(json& to, const component_stats& from);

struct drained {
  std::string name;
  msgbus::async::drain_report report;
};

/// Returns how many messages were abandoned.
std::uint64_t print_drained(const std::vector<drained>& all, double seconds);

/// False if the counters do not add up.
bool print_counters(const std::vector<component_stats>& all);

}  // namespace exchange
