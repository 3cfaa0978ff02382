#pragma once

/// What crosses between the processes, how it becomes bytes, and where it goes. The business knows
/// nothing of it.

#include <msgbus/nats.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "domain.hpp"
#include "notifications.hpp"

namespace exchange {

// --- Messages of this example's own. -------------------------------------------------------------

/// A worker has written the invoice.
struct order_billed {
  number order = 0;
  std::string worker;
};

/// What the process of the orders says of itself.
struct orders_state {
  std::map<std::string, std::map<std::string, std::uint64_t>> components;
  std::uint64_t orders_stored = 0;
};

// --- As JSON. ------------------------------------------------------------------------------------

NLOHMANN_JSON_SERIALIZE_ENUM(order_state, {{order_state::checking, "checking"},
                                           {order_state::open, "open"},
                                           {order_state::cancelled, "cancelled"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(account, id, owner, balance)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id, account, symbol, quantity, price, state)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(totals, accounts, deposited, withdrawn, balances, set_aside,
                                   orders_placed, orders_cancelled, orders_open)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(symbol_summary, symbol, placed, cancelled, open_quantity)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_placed, order)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_billed, order, worker)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(orders_state, components, orders_stored)

// --- Where it goes. ------------------------------------------------------------------------------

namespace wire {

// Operations are at these and their names: commands.place_order.
inline constexpr const char* commands = "commands";
inline constexpr const char* queries = "queries";
inline constexpr const char* control = "control";

// Notices are at this and their topic: notices.orders.ACME.placed.
inline constexpr std::string_view notices = "notices.";
inline constexpr const char* all_notices = "notices.>";

// Placed orders are kept until workers have handled them; what cannot be handled is kept too.
inline constexpr const char* orders_stream = "ORDERS";
inline constexpr const char* dead_stream = "DEAD";
inline constexpr const char* dead_orders = "dead.orders";

/// Makes the streams, or finds them.
asio::awaitable<void> ensure_streams(msgbus::bridge& nats);

/// Connects under this name, and says on stderr what goes wrong with the connection later.
asio::awaitable<msgbus::bridge> connect(asio::any_io_executor executor, std::string url,
                                        std::string name);

}  // namespace wire
}  // namespace exchange

// Names that do not change when somebody renames a class.
template <>
inline constexpr std::string_view msgbus::name_of<exchange::order_placed> = "order_placed";
template <>
inline constexpr std::string_view msgbus::name_of<exchange::order_billed> = "order_billed";
template <>
inline constexpr std::string_view msgbus::name_of<exchange::notice> = "notice";

/// A notice is a line of text already.
template <>
struct msgbus::codec<exchange::notice> {
  static payload encode(const exchange::notice& value, encoding = encoding::json) {
    return {*value.line, "application/json"};
  }
  static exchange::notice decode(std::string_view bytes, std::string_view) {
    return {std::make_shared<const std::string>(bytes)};
  }
};
