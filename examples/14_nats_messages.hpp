#pragma once

/// What the programs of this example tell each other.

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include <msgbus/name_of.hpp>

struct order_placed {
  int number = 0;
  std::string item;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_placed, number, item)

template <>
inline constexpr std::string_view msgbus::name_of<order_placed> = "order_placed";
