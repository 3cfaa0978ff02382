#pragma once

// Describes components of both families and their bindings, and explains where messages go.

#include <msgbus/async/describe.hpp>
#include <msgbus/async/explain.hpp>
#include <msgbus/explanation.hpp>
#include <msgbus/graph.hpp>
#include <msgbus/graph_source.hpp>
#include <msgbus/registered_at.hpp>
#include <msgbus/sync/explain.hpp>
