#pragma once

// Headers in a column: a line `name: value` each. No header that can be sent has a line break.

#include <msgbus/headers.hpp>

#include <string>
#include <string_view>

namespace msgbus::durable::detail {

/// As lines, without the id and the type, which have columns of their own.
[[nodiscard]] std::string lines_of(const headers& all);
/// Lines that are none are left out.
[[nodiscard]] headers headers_of(std::string_view lines);

}  // namespace msgbus::durable::detail
