#pragma once

// Events for tests of durable messages.

#include <nlohmann/json.hpp>

#include <string>

namespace msgbus_test {

struct order_placed {
  int id = 0;
  std::string item;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_placed, id, item)

struct order_cancelled {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_cancelled, id)

}  // namespace msgbus_test
