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

/// An attribute's value in the form of a header: blanks, quotation marks, percent signs and all
/// characters other than printable ASCII are percent-encoded.
[[nodiscard]] std::string to_attribute(std::string_view text);

/// The text of a header's value, which may be quoted, may have been encoded without need, or may
/// come from older implementations, which encode less. A value that is not UTF-8 stays unchanged.
[[nodiscard]] std::string from_attribute(std::string_view value);

/// A point in time as RFC 3339 writes it: `2018-04-05T03:56:24.250Z`.
[[nodiscard]] std::string timestamp(std::chrono::system_clock::time_point at);

/// Adds an attribute, unless its value is empty.
void add_attribute(headers& to, std::string_view name, std::string_view text);

/// For the headers of a CloudEvent, adds the library's own headers from its attributes, unless they
/// are present: id, type, content type, correlation, causation and trace.
void name_attributes(headers& of);

// --- W3C Trace Context (`trace_context.hpp`). ----------------------------------------------------

/// The `traceparent` for messages that a message causes: the same trace, another span. Of a later
/// version, the parts of this version are read. Empty if the message has no valid one.
[[nodiscard]] std::string child_trace(std::string_view parent);

/// The `traceparent` of a message. `is_span`: it is sent from this span, which a `trace_scope` has
/// named; else it gets a span of its own.
[[nodiscard]] std::string sent_trace(std::string_view parent, bool is_span);

using msgbus::detail::is_trace_state;

}  // namespace msgbus::bridging
