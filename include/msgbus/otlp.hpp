#pragma once

// The exporters of spans and metrics to a collector of OpenTelemetry: target msgbus::otlp.

#include <msgbus/otlp_metrics.hpp>
#include <msgbus/otlp_tracer.hpp>
