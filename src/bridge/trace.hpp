#pragma once

// W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/). Pure, but for new ids.

#include <string>
#include <string_view>

namespace msgbus::bridging {

/// The `traceparent` of what a message leads to: the same trace, another span. Of a later version,
/// what this one knows is taken. Empty if the message's is none.
[[nodiscard]] std::string child_trace(std::string_view parent);

/// Whether it is a `tracestate`, which goes with the trace unchanged.
[[nodiscard]] bool is_trace_state(std::string_view list);

}  // namespace msgbus::bridging
