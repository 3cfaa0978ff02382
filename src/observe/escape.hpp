#pragma once

/// Names and texts in the formats of logs and metrics, whatever bytes they hold (O3).

#include <string>
#include <string_view>

namespace msgbus::detail {

/// The text as a JSON string, in quotes. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

/// The text as the value of a key: as it is if it is a plain word, or else in quotes.
[[nodiscard]] std::string logfmt_value(std::string_view text);

}  // namespace msgbus::detail
