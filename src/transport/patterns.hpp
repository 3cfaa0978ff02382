#pragma once

// The topics that a pattern matches. All arguments are valid topics or patterns.

#include <string_view>

namespace msgbus::transport {

[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept;

/// Whether a topic exists that matches both.
[[nodiscard]] bool patterns_overlap(std::string_view one, std::string_view other) noexcept;

/// Whether `wide` matches every topic that `narrow` matches.
[[nodiscard]] bool pattern_covers(std::string_view wide, std::string_view narrow) noexcept;

}  // namespace msgbus::transport
