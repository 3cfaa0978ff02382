#pragma once

// Spans in the form of OTLP/JSON: ExportTraceServiceRequest of opentelemetry-proto 1, in proto3's
// JSON mapping, with ids in hex and enumerators as numbers, as OTLP asks for.

#include <msgbus/span.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::otlp {

/// The body of a request. `resource` describes the program.
[[nodiscard]] std::string request_body(std::span<const span_data> spans,
                                       const std::vector<attribute>& resource);

/// How many spans a collector says that it has refused, in its answer to a request that it took.
[[nodiscard]] std::uint64_t refused_in(std::string_view answer);

}  // namespace msgbus::otlp
