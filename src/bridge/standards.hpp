#pragma once

// The headers of other people's standards. Pure.

#include "core/trace_state.hpp"

#include <msgbus/headers.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace msgbus::bridging {

// --- CloudEvents. --------------------------------------------------------------------------------

// CloudEvents 1.0 over NATS in binary mode: each attribute is a header of its own
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md,
// as it is since NATS has headers).

/// An attribute's value as a header has it: what is not printable ASCII, and blanks, quotation
/// marks and percent signs are percent-encoded.
[[nodiscard]] std::string to_attribute(std::string_view text);

/// The text of a header's value, which may be quoted, may have been encoded without need, or may
/// come from older implementations, which encode less. What is not UTF-8 is no text: such a value
/// stays as it is.
[[nodiscard]] std::string from_attribute(std::string_view value);

/// A point in time as RFC 3339 writes it: `2018-04-05T03:56:24.250Z`.
[[nodiscard]] std::string timestamp(std::chrono::system_clock::time_point at);

/// Adds an attribute, unless its value is empty.
void add_attribute(headers& to, std::string_view name, std::string_view text);

/// If they are those of a CloudEvent, adds what its attributes say under the names that the library
/// looks for, unless it is there: id, type, content type, correlation, causation and trace.
void name_attributes(headers& of);

// --- W3C Trace Context (`trace_context.hpp`). ----------------------------------------------------

/// The `traceparent` of what a message leads to: the same trace, another span. Of a later version,
/// what this one knows is taken. Empty if the message's is none.
[[nodiscard]] std::string child_trace(std::string_view parent);

/// The `traceparent` of a message. `is_span`: it is sent from this span, which a `trace_scope` has
/// named; else it gets a span of its own.
[[nodiscard]] std::string sent_trace(std::string_view parent, bool is_span);

using msgbus::detail::is_trace_state;

}  // namespace msgbus::bridging
