#pragma once

/// What a monitor reads of a program at one time. Plain values: rules for them are pure.

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/host_report.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/observe/handling_times.hpp>
#include <msgbus/graph.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::monitoring {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;
using async::detail::component_details;
using async::detail::host_progress;
using msgbus::detail::duration_figures;
using msgbus::detail::times_table;

[[nodiscard]] inline double in_seconds(duration of) {
  return std::chrono::duration<double>(of).count();
}

/// A failure of a handler, or of a component.
struct failure_entry {
  std::uint64_t id = 0;
  double time = 0;  // seconds since 1970, as all that are called `time` and `since`
  std::string component = {};
  std::string message = {};
  std::string handler = {};
  std::string text = {};
  bool repeated = false;
};

struct breaker_reading {
  std::string name;
  std::string_view state = "closed";
  std::uint64_t changes = 0;
};

/// A component with a mailbox.
struct component_reading {
  std::string id = {};  // in the graph
  async::component_stats stats = {};
  component_details details = {};
  std::string executor = {};
  std::vector<times_table::figures> waits = {};
  std::vector<times_table::followed> handles = {};
  std::vector<breaker_reading> breakers = {};
  std::size_t dead_letters = 0;
  std::optional<failure_entry> last_error = {};
  std::vector<std::string> unrouted = {};  // messages without a handler, of the last minute
};

struct link_reading {
  std::string bridge;
  async::detail::link_stats link;
};

/// An executor that has not answered.
struct silent_executor {
  std::string executor;
  duration silent = {};
};

struct letter_reading {
  std::string id = {};
  std::string component = {};
  async::dead_letter letter = {};
  bool replaying = false;
};

struct letters_reading {
  std::size_t kept = 0;
  async::dead_letter_counters counts = {};
  std::vector<letter_reading> newest = {};  // first
};

struct reading {
  time_point at = {};
  double time = 0;
  host_progress progress = host_progress::serving;
  std::vector<component_reading> components = {};
  graph all = {};
  std::vector<std::string> hosted = {};  // ids of the host's members
  std::vector<link_reading> links = {};
  std::vector<silent_executor> silent = {};
  std::vector<failure_entry> failures = {};  // the newest first
  letters_reading letters = {};
};

}  // namespace msgbus::monitoring
