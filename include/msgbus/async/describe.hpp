#pragma once

/// The graph of a host as text.

#include <msgbus/async/host.hpp>
#include <msgbus/graph.hpp>

#include <string>

namespace msgbus {

/// The components of the host, with their handlers and bindings, as text in this form; see
/// `graph_of`.
[[nodiscard]] std::string describe(const async::host& all, graph_format form = graph_format::text);

}  // namespace msgbus
