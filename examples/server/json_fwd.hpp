#pragma once

/// For headers that only name JSON: the whole of it takes longer to compile than most of them.

#include <nlohmann/json_fwd.hpp>

namespace exchange {

using json = nlohmann::ordered_json;  // members keep their order

}  // namespace exchange
