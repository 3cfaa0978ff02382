#pragma once

// The exporter of spans to a collector of OpenTelemetry: target msgbus::otlp.

#include <msgbus/otlp_tracer.hpp>
