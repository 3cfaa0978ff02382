#pragma once

/// What a result says of the machine and of the build.

#include "harness.hpp"
#include "report.hpp"

#include <string>

namespace bench {

/// Of the last minute; negative if the system does not say.
[[nodiscard]] double load();

[[nodiscard]] setting describe(const std::string& revision, const options& how, double load_before);

}  // namespace bench
