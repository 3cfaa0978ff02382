#pragma once

// Which topics a pattern stands for. Both are valid.

#include <string_view>

namespace msgbus::transport {

[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept;

/// Whether there is a topic that matches both.
[[nodiscard]] bool patterns_overlap(std::string_view one, std::string_view other) noexcept;

}  // namespace msgbus::transport
