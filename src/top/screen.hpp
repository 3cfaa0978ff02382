#pragma once

/// The table on a terminal, and the keys.

#include "top/client.hpp"
#include "top/table.hpp"

#include <string>

namespace msgbus::top {

/// Shows what the client reads until the user ends it.
///
/// Throws: `std::runtime_error` if the terminal is not known.
void run_screen(const client& from, const std::string& url, order by, std::string filter);

}  // namespace msgbus::top
