#pragma once

// What the rows of a file say, for whoever reads them: the owner and programs beside it.

#include <msgbus/durable/inspect.hpp>

#include "durable/connection.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace msgbus::durable::detail {

[[nodiscard]] file_status read_status(connection& in, const std::string& prefix);

/// In the order of their positions.
[[nodiscard]] std::vector<waiting_message> read_waiting(connection& in, const std::string& prefix,
                                                        std::size_t most);

}  // namespace msgbus::durable::detail
