#pragma once

/// What crosses between the processes, how it becomes bytes, and where it goes. The business knows
/// nothing of it.

#include <msgbus/name_of.hpp>
#include <msgbus/transport/codec.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "domain.hpp"
#include "notice.hpp"

namespace msgbus {
class bridge;
}  // namespace msgbus

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

// Written out in wire.cpp: the macros of nlohmann-json would have every file compile them.
void to_json(nlohmann::json& to, const account& from);
void from_json(const nlohmann::json& from, account& to);
void to_json(nlohmann::json& to, const order& from);
void from_json(const nlohmann::json& from, order& to);
void to_json(nlohmann::json& to, const totals& from);
void from_json(const nlohmann::json& from, totals& to);
void to_json(nlohmann::json& to, const symbol_summary& from);
void from_json(const nlohmann::json& from, symbol_summary& to);
void to_json(nlohmann::json& to, const order_placed& from);
void from_json(const nlohmann::json& from, order_placed& to);
void to_json(nlohmann::json& to, const order_billed& from);
void from_json(const nlohmann::json& from, order_billed& to);
void to_json(nlohmann::json& to, const orders_state& from);
void from_json(const nlohmann::json& from, orders_state& to);

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
