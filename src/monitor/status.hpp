#pragma once

/// The state of a program as JSON, as docs/status.schema.json says. Pure.

#include "monitor/history.hpp"
#include "monitor/warnings.hpp"

#include <string>
#include <vector>

namespace msgbus::monitoring {

/// A binding with the figures of its receiver.
struct edge_now {
  graph::binding is = {};  // `to` is empty: the sender is bound to nothing
  std::vector<std::string> messages = {};
  bool received = true;
  bool shared = false;
  std::uint64_t offered = 0;
  std::uint64_t failed = 0;
  double offered_rate = 0;
  double failed_rate = 0;
};
[[nodiscard]] std::vector<edge_now> edges_of(const figures_now& now);

/// What does not change.
struct status_facts {
  std::string title = {};
  double since = 0;
  duration interval = {};
  bool allow_actions = false;
};

[[nodiscard]] std::string status_json(const status_facts& facts, const figures_now& now,
                                      const std::vector<warning>& warnings);

/// `{"error": "..."}`
[[nodiscard]] std::string error_json(const std::string& text);

/// The ids of an action, or nothing if the text is not `{"ids": [...]}`.
[[nodiscard]] std::optional<std::vector<std::string>> ids_in(const std::string& json);
[[nodiscard]] std::string accepted_json(std::size_t many);

}  // namespace msgbus::monitoring
