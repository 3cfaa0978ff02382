#pragma once

/// What a program made of components says of them: while it runs, and at its end.

#include <msgbus/async/host_report.hpp>
#include <msgbus/circuit_breaker.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "json_fwd.hpp"

namespace exchange {

using msgbus::async::component_stats;
using drained = msgbus::async::component_report;

/// The messages that wait or run.
[[nodiscard]] inline std::uint64_t open_in(const component_stats& component) noexcept {
  return component.waiting + component.in_flight;
}
[[nodiscard]] json figures_of(const component_stats& component);

/// Returns how many messages were abandoned.
std::uint64_t print_drained(const std::vector<drained>& all, double seconds);

/// False if the counters do not add up.
bool print_counters(const std::vector<component_stats>& all);

/// The state of the component's breaker, and how many calls took longer than their deadline.
void print_breaker(const std::string& name, const msgbus::circuit_breaker& breaker,
                   const std::vector<component_stats>& all);

}  // namespace exchange
