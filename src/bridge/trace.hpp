#pragma once

// What bridges make of W3C Trace Context (`trace_context.hpp`).

#include "core/trace_state.hpp"

#include <string>
#include <string_view>

namespace msgbus::bridging {

/// The `traceparent` of what a message leads to: the same trace, another span. Of a later version,
/// what this one knows is taken. Empty if the message's is none.
[[nodiscard]] std::string child_trace(std::string_view parent);

/// The `traceparent` of a message. `is_span`: it is sent from this span, which a `trace_scope` has
/// named; else it gets a span of its own.
[[nodiscard]] std::string sent_trace(std::string_view parent, bool is_span);

using msgbus::detail::is_trace_state;

}  // namespace msgbus::bridging
