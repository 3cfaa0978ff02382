#pragma once

// The figures of one scrape, which every form shows.

#include <msgbus/detail/observe/handling_times.hpp>
#include <msgbus/metrics.hpp>

#include "metrics/prometheus.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

namespace detail {

/// The counts of an observer, by step.
[[nodiscard]] inline async::detail::store_stats::counts steps_of(const counting_observer& of) {
  return {{"accepted", of.accepted()}, {"rejected", of.rejected()},  {"delivered", of.delivered()},
          {"failed", of.failed()},     {"overran", of.overran()},    {"dropped", of.dropped()},
          {"unrouted", of.unrouted()}, {"abandoned", of.abandoned()}};
}

/// A component that exists.
struct component_figures {
  async::component_stats stats;
  async::detail::component_details details;
  bool is_timed = false;
  std::vector<times_table::figures> waits = {};
  std::vector<times_table::figures> handles = {};
};

/// Of a bridge.
struct link_figures {
  std::string bridge;
  async::detail::link_stats stats;
};
struct operation_figures {
  std::string bridge;
  async::detail::operation_times times;
};

struct store_figures {
  std::string name;
  async::detail::store_stats stats;
};

}  // namespace detail

struct metrics::figures {
  std::vector<detail::component_figures> components = {};
  named<circuit_breaker> breakers = {};
  std::vector<detail::link_figures> links = {};
  std::vector<detail::operation_figures> operations = {};
  named<rate_limiter> limiters = {};
  named<async::dead_letters> letters = {};
  named<counting_observer> observers = {};
  std::vector<detail::store_figures> stores = {};
  bool has_times = false;

  [[nodiscard]] detail::samples as_samples() const;
  [[nodiscard]] std::string as_json() const;
  [[nodiscard]] std::vector<metric_data> as_data() const;
};

namespace detail {

/// When the program began: no count is older. Names are used once, so nothing begins later.
[[nodiscard]] std::chrono::system_clock::time_point program_start() noexcept;

}  // namespace detail

}  // namespace msgbus
