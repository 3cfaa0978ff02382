#include "json.hpp"

namespace exchange {
namespace {

const char* name_of(order_state state) {
  switch (state) {
    case order_state::checking: return "checking";
    case order_state::open: return "open";
    case order_state::cancelled: return "cancelled";
  }
  return "?";
}

json amount_of(const account& of, money amount) {
  return {{"account", of.id}, {"amount", amount}, {"balance", of.balance}};
}

}  // namespace

void to_json(json& to, const account& from) {
  to = {{"account", from.id}, {"owner", from.owner}, {"balance", from.balance}};
}

void to_json(json& to, const order& from) {
  to = {{"order", from.id},          {"account", from.account}, {"symbol", from.symbol},
        {"quantity", from.quantity}, {"price", from.price},     {"state", name_of(from.state)}};
}

void to_json(json& to, const totals& from) {
  to = {{"accounts", from.accounts},
        {"deposited", from.deposited},
        {"withdrawn", from.withdrawn},
        {"balances", from.balances},
        {"set_aside", from.set_aside},
        {"orders_placed", from.orders_placed},
        {"orders_cancelled", from.orders_cancelled},
        {"orders_open", from.orders_open}};
}

void to_json(json& to, const symbol_summary& from) {
  to = {{"symbol", from.symbol},
        {"placed", from.placed},
        {"cancelled", from.cancelled},
        {"open_quantity", from.open_quantity}};
}

const char* name_of(const account_opened&) { return "account_opened"; }
const char* name_of(const money_deposited&) { return "money_deposited"; }
const char* name_of(const money_withdrawn&) { return "money_withdrawn"; }
const char* name_of(const order_placed&) { return "order_placed"; }
const char* name_of(const order_cancelled&) { return "order_cancelled"; }

void to_json(json& to, const account_opened& from) { to = from.account; }
void to_json(json& to, const money_deposited& from) { to = amount_of(from.account, from.amount); }
void to_json(json& to, const money_withdrawn& from) { to = amount_of(from.account, from.amount); }
void to_json(json& to, const order_placed& from) { to = from.order; }
void to_json(json& to, const order_cancelled& from) { to = from.order; }

std::string to_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace exchange
