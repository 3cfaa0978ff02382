#pragma once

/// JSON as a tree of values, for what is not written often. See json_text.hpp.

#include <nlohmann/json.hpp>

#include <string>

#include "json_fwd.hpp"

namespace exchange {

/// One line of text, whatever bytes the strings hold.
[[nodiscard]] inline std::string to_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace exchange
