#include "wire.hpp"

#include <msgbus/nats.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>

namespace exchange {

// --- As JSON. ------------------------------------------------------------------------------------

using wire_json = nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(order_state, {{order_state::checking, "checking"},
                                           {order_state::open, "open"},
                                           {order_state::cancelled, "cancelled"}})

void to_json(wire_json& to, const account& from) {
  to = {{"id", from.id}, {"owner", from.owner}, {"balance", from.balance}};
}

void from_json(const wire_json& from, account& to) {
  from.at("id").get_to(to.id);
  from.at("owner").get_to(to.owner);
  from.at("balance").get_to(to.balance);
}

void to_json(wire_json& to, const order& from) {
  to = {{"id", from.id},         {"account", from.account},
        {"symbol", from.symbol}, {"quantity", from.quantity},
        {"price", from.price},   {"state", from.state}};
}

void from_json(const wire_json& from, order& to) {
  from.at("id").get_to(to.id);
  from.at("account").get_to(to.account);
  from.at("symbol").get_to(to.symbol);
  from.at("quantity").get_to(to.quantity);
  from.at("price").get_to(to.price);
  from.at("state").get_to(to.state);
}

void to_json(wire_json& to, const totals& from) {
  to = {{"accounts", from.accounts},
        {"deposited", from.deposited},
        {"withdrawn", from.withdrawn},
        {"balances", from.balances},
        {"set_aside", from.set_aside},
        {"orders_placed", from.orders_placed},
        {"orders_cancelled", from.orders_cancelled},
        {"orders_open", from.orders_open}};
}

void from_json(const wire_json& from, totals& to) {
  from.at("accounts").get_to(to.accounts);
  from.at("deposited").get_to(to.deposited);
  from.at("withdrawn").get_to(to.withdrawn);
  from.at("balances").get_to(to.balances);
  from.at("set_aside").get_to(to.set_aside);
  from.at("orders_placed").get_to(to.orders_placed);
  from.at("orders_cancelled").get_to(to.orders_cancelled);
  from.at("orders_open").get_to(to.orders_open);
}

void to_json(wire_json& to, const symbol_summary& from) {
  to = {{"symbol", from.symbol},
        {"placed", from.placed},
        {"cancelled", from.cancelled},
        {"open_quantity", from.open_quantity}};
}

void from_json(const wire_json& from, symbol_summary& to) {
  from.at("symbol").get_to(to.symbol);
  from.at("placed").get_to(to.placed);
  from.at("cancelled").get_to(to.cancelled);
  from.at("open_quantity").get_to(to.open_quantity);
}

void to_json(wire_json& to, const order_placed& from) { to["order"] = from.order; }
void from_json(const wire_json& from, order_placed& to) { from.at("order").get_to(to.order); }

void to_json(wire_json& to, const order_billed& from) {
  to = {{"order", from.order}, {"worker", from.worker}};
}

void from_json(const wire_json& from, order_billed& to) {
  from.at("order").get_to(to.order);
  from.at("worker").get_to(to.worker);
}

void to_json(wire_json& to, const orders_state& from) {
  to = {{"components", from.components}, {"orders_stored", from.orders_stored}};
}

void from_json(const wire_json& from, orders_state& to) {
  from.at("components").get_to(to.components);
  from.at("orders_stored").get_to(to.orders_stored);
}

// --- The connection. -----------------------------------------------------------------------------

namespace wire {
namespace {

const char* word_for(enum msgbus::nats::event::kind what) {
  using kind = enum msgbus::nats::event::kind;
  switch (what) {
    case kind::disconnected: return "disconnected";
    case kind::reconnected: return "connected again";
    case kind::closed: return "closed";
    case kind::slow_consumer: return "slow consumer";
    case kind::failed: break;
  }
  return "failed";
}

}  // namespace

asio::awaitable<void> ensure_streams(msgbus::bridge& nats) {
  const msgbus::nats::stream_options orders{.name = orders_stream,
                                            .topics = {"events.order_placed"}};
  const msgbus::nats::stream_options dead{.name = dead_stream, .topics = {dead_orders}};
  co_await nats.ensure_stream(orders);
  co_await nats.ensure_stream(dead);
}

asio::awaitable<msgbus::bridge> connect(asio::any_io_executor executor, std::string url,
                                        std::string name) {
  msgbus::nats::options where;
  where.url = std::move(url);
  where.name = name;
  where.on_event = [name](const msgbus::nats::event& what) {
    std::fprintf(stderr, "%s: %s: %s\n", name.c_str(), word_for(what.what), what.text.c_str());
  };
  msgbus::bridge_options how;
  how.on_failure = [name](std::string_view link, const std::exception_ptr& failure) {
    std::fprintf(stderr, "%s: %.*s: %s\n", name.c_str(), static_cast<int>(link.size()), link.data(),
                 msgbus::describe(failure).c_str());
  };
  auto connecting = msgbus::nats::connect(std::move(executor), where, std::move(how));
  msgbus::bridge made = co_await std::move(connecting);
  co_return made;
}

}  // namespace wire
}  // namespace exchange
