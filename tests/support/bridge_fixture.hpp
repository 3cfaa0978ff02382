#pragma once

/// The types of messages that the tests of bridges send.

#include <msgbus/bridge/bridge.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using asio::awaitable;
using msgbus::bridge;
using msgbus::context;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::subscriber;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::neighbourhood;
using namespace std::chrono_literals;

namespace shop {
struct order {
  int id = 0;
  std::string item;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id, item)
struct refund {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(refund, id)
template <class T>
struct created {
  T entity;
};
template <class T>
void to_json(nlohmann::json& json, const created<T>& event) {
  json = event.entity;
}
template <class T>
void from_json(const nlohmann::json& json, created<T>& event) {
  event.entity = json.get<T>();
}
struct paid {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(paid, id)
}  // namespace shop

namespace dotted {
struct paid {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(paid, id)
}  // namespace dotted

namespace other {
struct paid {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(paid, id)
}  // namespace other

template <>
inline constexpr std::string_view msgbus::name_of<dotted::paid> = "shop.paid";
template <>
inline constexpr std::string_view msgbus::name_of<other::paid> = "shop::paid";

namespace bridge_test {

using shop::created;
using shop::order;
using shop::refund;

}  // namespace bridge_test
