#pragma once

/// The graph of a program as a picture. Pure.

#include "monitor/status.hpp"

#include <string>

namespace msgbus::monitoring {

/// An SVG image: senders on the left, their receivers to the right of them. Edges that carry
/// messages are thick, those with failures red, those whose messages nobody receives dashed. Names
/// are escaped, whatever bytes they hold.
[[nodiscard]] std::string graph_svg(const figures_now& now);

}  // namespace msgbus::monitoring
