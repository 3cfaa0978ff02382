#pragma once

/// The risk check. Knows of no bus.

#include "domain.hpp"

namespace exchange {

/// Of an order's value. Throws the refusal `risk_refused`. Blocks for about half a millisecond.
void assess(money value);

}  // namespace exchange
