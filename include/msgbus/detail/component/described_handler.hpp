#pragma once

/// Attached handlers as plain values, for graphs and explanations.

#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/observe/graph_builder.hpp>
#include <msgbus/detail/routing/name_table.hpp>
#include <msgbus/graph.hpp>

#include <string>
#include <vector>

namespace msgbus::component {

struct described_handler {
  graph::handler facts;
  std::vector<type_key> types;         // that it takes; empty: every type
  std::vector<std::string> obstacles;  // what may keep a message from it, or make it fail
};

// For entries that are attached, under the lock of `for_each_attached`.

[[nodiscard]] described_handler described(const event_entry& of,
                                          const di::provider_state& overrides);
[[nodiscard]] described_handler described(const message_entry& of,
                                          const di::provider_state& overrides);
[[nodiscard]] described_handler described(const routing::named_entry& of,
                                          const operation_facts& facts,
                                          const di::provider_state& overrides);

}  // namespace msgbus::component
