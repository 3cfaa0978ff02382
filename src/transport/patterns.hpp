#pragma once

// Which topics a pattern stands for. Both are valid.

#include <string_view>

namespace msgbus::transport {

[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept;

/// Whether there is a topic that matches both.
[[nodiscard]] bool patterns_overlap(std::string_view one, std::string_view other) noexcept;

/// Whether `wide` stands for every topic that `narrow` stands for.
[[nodiscard]] bool pattern_covers(std::string_view wide, std::string_view narrow) noexcept;

}  // namespace msgbus::transport
