#pragma once

/// The options, reports and figures of a host. Plain values.

#include <msgbus/counters.hpp>
#include <msgbus/options.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <string>
#include <vector>

namespace msgbus::async {

/// The options of `host::run`. They may stand in the line of the `co_await`, also with g++ 12.
struct run_options {
  /// The signals that end the program, such as `{SIGINT, SIGTERM}`; 0 is none.
  std::array<int, 8> signals = {};
  /// The time in which all components together finish their messages.
  std::chrono::steady_clock::duration deadline = std::chrono::seconds(10);
};

/// The end of one component.
struct component_report {
  std::string name;  ///< in the host; empty in `drain_all`, unless a host has named it
  std::string kind;  ///< "consumer", "subscriber", "service", "bridge", "database" or "part"
  drain_report report = {};         ///< the outcomes of its last messages
  bool destroyed = false;           ///< it was destroyed before its turn
  std::exception_ptr failure = {};  ///< what its `close` or `drain` threw; null if nothing
};
std::ostream& operator<<(std::ostream& out, const component_report& value);

/// The end of all components, in the order in which they were drained.
struct host_report {
  std::vector<component_report> components;       ///< one for each component
  std::chrono::steady_clock::duration took = {};  ///< from the stop to the end
  bool at_once = false;                           ///< a second signal, or `stop_now`, ended it

  /// The outcomes of all components.
  [[nodiscard]] drain_report total() const noexcept;
  /// Whether no message was abandoned, and nothing threw.
  [[nodiscard]] bool complete() const noexcept;
};
std::ostream& operator<<(std::ostream& out, const host_report& value);

/// The figures of a component that exists.
struct component_stats {
  std::string name;             ///< in the host
  std::string kind;             ///< "consumer", "subscriber" or "service"
  counters counts = {};         ///< its messages by outcome
  std::size_t waiting = 0;      ///< messages in the mailbox
  std::size_t capacity = 0;     ///< of the mailbox
  std::uint64_t in_flight = 0;  ///< messages that are being handled
};
std::ostream& operator<<(std::ostream& out, const component_stats& value);

}  // namespace msgbus::async
