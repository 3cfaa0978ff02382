#pragma once

// Parts of a trace that bridges need, too.

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/trace_context.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace msgbus::detail {

/// Whether it is a `tracestate`, which goes with the trace unchanged.
[[nodiscard]] bool is_trace_state(std::string_view list);

/// Marks the trace of an origin as that of a span of this process: messages that are sent from it
/// have that span as its parent. Without it a bridge gives each message a span of its own.
inline constexpr std::string_view span_mark = "msgbus-span";

/// The trace of an origin; empty: it has none.
[[nodiscard]] std::optional<trace_context> trace_of(const origin& from);

/// The origin of messages that this span sends while `handled` is handled, or none is.
[[nodiscard]] std::shared_ptr<origin> origin_with(const trace_context& span, const origin* handled);

}  // namespace msgbus::detail
