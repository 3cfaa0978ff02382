#include "reports.hpp"

#include <cstdio>

#include "json.hpp"

namespace exchange {
namespace {

unsigned long long wide(std::uint64_t count) { return count; }

}  // namespace

json figures_of(const component_stats& component) {
  const msgbus::counters& counted = component.counts;
  return {{"open", open_in(component)},   {"accepted", counted.accepted},
          {"rejected", counted.rejected}, {"handled", counted.handled},
          {"failed", counted.failed},     {"dropped", counted.dropped},
          {"overran", counted.overran}};
}

std::uint64_t print_drained(const std::vector<drained>& all, double seconds) {
  std::printf("drained in %.3f s\n", seconds);
  std::printf("  %-14s %9s %9s %9s\n", "component", "handled", "failed", "abandoned");
  std::uint64_t abandoned = 0;
  for (const drained& each : all) {
    std::printf("  %-14s %9llu %9llu %9llu\n", each.name.c_str(), wide(each.report.handled),
                wide(each.report.failed), wide(each.report.abandoned));
    abandoned += each.report.abandoned;
  }
  return abandoned;
}

bool print_counters(const std::vector<component_stats>& all) {
  std::printf("counters\n  %-14s %9s %9s %9s %9s %9s %9s %9s\n", "component", "accepted",
              "rejected", "handled", "failed", "dropped", "abandoned", "unrouted");
  bool balanced = true;
  for (const component_stats& each : all) {
    const msgbus::counters& counted = each.counts;
    std::printf("  %-14s %9llu %9llu %9llu %9llu %9llu %9llu %9llu\n", each.name.c_str(),
                wide(counted.accepted), wide(counted.rejected), wide(counted.handled),
                wide(counted.failed), wide(counted.dropped), wide(counted.abandoned),
                wide(counted.unrouted));
    balanced =
        balanced && counted.offered == counted.accepted + counted.rejected &&
        counted.accepted == counted.handled + counted.failed + counted.dropped + counted.abandoned;
  }
  return balanced;
}

void print_breaker(const std::string& name, const msgbus::circuit_breaker& breaker,
                   const std::vector<component_stats>& all) {
  for (const component_stats& each : all) {
    if (each.name != name) continue;
    std::printf("  %s: the breaker is %s, %llu calls took longer than their deadline\n",
                name.c_str(), std::string(msgbus::state_name(breaker.current())).c_str(),
                wide(each.counts.overran));
  }
}

}  // namespace exchange
