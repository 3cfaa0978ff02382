#include "reports.hpp"

#include <cstdio>

#include "json.hpp"

namespace exchange {
namespace {

unsigned long long wide(std::uint64_t count) { return count; }

}  // namespace

void to_json(json& to, const component_stats& from) {
  to = {{"open", from.open()},
        {"accepted", from.counters.accepted},
        {"rejected", from.counters.rejected},
        {"handled", from.counters.handled},
        {"failed", from.counters.failed},
        {"dropped", from.counters.dropped}};
}

std::uint64_t print_drained(const std::vector<drained>& all, double seconds) {
  std::printf("drained in %.3f s\n", seconds);
  std::printf("  %-14s %9s %9s %9s\n", "component", "handled", "failed", "abandoned");
  std::uint64_t abandoned = 0;
  for (const auto& [name, report] : all) {
    std::printf("  %-14s %9llu %9llu %9llu\n", name.c_str(), wide(report.handled),
                wide(report.failed), wide(report.abandoned));
    abandoned += report.abandoned;
  }
  return abandoned;
}

bool print_counters(const std::vector<component_stats>& all) {
  std::printf("counters\n  %-14s %9s %9s %9s %9s %9s %9s %9s\n", "component", "accepted",
              "rejected", "handled", "failed", "dropped", "abandoned", "unrouted");
  bool balanced = true;
  for (const component_stats& each : all) {
    const msgbus::counters& counted = each.counters;
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

}  // namespace exchange
