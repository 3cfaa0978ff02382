#pragma once

// A span of a message, with the names of `trace_table.hpp`.

#include "observe/active_span.hpp"
#include "observe/trace_table.hpp"

#include <string_view>

namespace msgbus::detail {

/// The properties of a message's span. Views of texts that are copied later.
struct message_span {
  span_kind kind;
  std::string_view operation;
  std::string_view destination;
  std::string_view component = {};  // the name of the component; may be empty
  std::string_view system = trace_names::in_process;
  const origin* from = nullptr;  // of the message, with its ids; null: it has none
};

/// All of it, except for the members that `begin_span` sets.
[[nodiscard]] span_data described(const message_span& of, const trace_context& ids);

}  // namespace msgbus::detail
