#pragma once

// Traces: their context, spans, and where spans go.

#include <msgbus/span.hpp>
#include <msgbus/trace_context.hpp>
#include <msgbus/tracer.hpp>
