#pragma once

/// Attached handlers as plain values, for graphs and explanations.
///
/// Which handlers of a component get a message, and why the others do not: the rules of routing in
/// words. Pure. Errors of messages without a handler use the same words.

#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/routing/name_table.hpp>
#include <msgbus/explanation.hpp>
#include <msgbus/graph.hpp>

#include "observe/graph_builder.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace msgbus::component {

struct described_handler {
  graph::handler facts;
  std::vector<type_key> types;         // that it accepts; empty: every type
  std::vector<std::string> obstacles;  // reasons why a message may not reach it, or why it may fail
};

// For entries that are attached, under the lock of `for_each_attached`.

[[nodiscard]] described_handler described(const event_entry& of,
                                          const component::provider_state& overrides);
[[nodiscard]] described_handler described(const message_entry& of,
                                          const component::provider_state& overrides);
[[nodiscard]] described_handler described(const routing::named_entry& of,
                                          const operation_facts& facts,
                                          const component::provider_state& overrides);

/// A component that a message may go to.
struct receiver {
  std::string label;     // `the consumer "audit"`
  std::string executor;  // empty: the thread of the call
  std::string refusal;   // why it refuses messages; empty: it accepts them
  std::string choice;    // why a message may go to another one; empty: it goes here
  std::vector<std::string> notes;
  std::vector<described_handler> handlers;  // in the order of attachment
};

/// Adds the handlers for an event of this type.
void explain_event(explanation& to, const receiver& of, type_key type);

/// Adds the handlers for a message on this topic; a null type: of any type.
void explain_message(explanation& to, const receiver& of, std::string_view topic, type_key type);

/// Adds the handler for a command of this name.
void explain_command(explanation& to, const receiver& of, std::string_view name);

/// The question, for a message of this type on this topic; a null type: of any type.
[[nodiscard]] explanation ask(std::string_view topic, type_key type, std::string_view verb);
/// Whether the topic is valid; if not, that is a note.
[[nodiscard]] bool check_topic(explanation& to, std::string_view topic);

/// Adds the conclusions from all receivers together: none is bound, or no handler runs.
void conclude(explanation& to, bool has_receivers, std::string_view sender);

/// The difference between the pattern and the topic; empty if the topic matches. Both are valid.
[[nodiscard]] std::string difference(std::string_view pattern, std::string_view topic);

// The sentences of errors.

/// `no handler accepts this type; handlers on this topic: ...`
[[nodiscard]] std::string no_handler_accepts(const std::string& type, std::string_view topic,
                                             const std::string& handlers);

/// `the service has no operation 'x'; it has: ...`
[[nodiscard]] std::string no_operation(std::string_view service, std::string_view name,
                                       const std::vector<std::string>& names);

}  // namespace msgbus::component
