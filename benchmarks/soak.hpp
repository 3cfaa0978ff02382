#pragma once

/// Two bridges, a stream, and a server that is killed again and again: whether the promises hold
/// under full load, and whether memory stays flat.

#include "report.hpp"

#include <string>

namespace bench {

/// Runs for so many minutes, prints what it sees and a verdict, and writes the figures. False if a
/// promise was broken, or the file could not be written.
[[nodiscard]] bool run_soak(double minutes, setting of, const std::string& json);

}  // namespace bench
