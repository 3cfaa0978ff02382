#pragma once

// Spans and metrics in the form of OTLP/JSON: ExportTraceServiceRequest and
// ExportMetricsServiceRequest of opentelemetry-proto 1, in proto3's JSON mapping, with ids in hex
// and enumerators as numbers, as OTLP asks for.

#include <msgbus/metric_data.hpp>
#include <msgbus/span.hpp>

#include <chrono>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::otlp {

/// The body of a request. `resource` describes the program.
[[nodiscard]] std::string request_body(std::span<const span_data> spans,
                                       const std::vector<attribute>& resource);

/// The same for metrics that were read at this time.
[[nodiscard]] std::string request_body(std::span<const metric_data> metrics,
                                       std::chrono::system_clock::time_point at,
                                       const std::vector<attribute>& resource);

/// How many spans or data points a collector says that it has refused, in its answer to a request
/// that it took.
[[nodiscard]] std::uint64_t refused_in(std::string_view answer);

}  // namespace msgbus::otlp
