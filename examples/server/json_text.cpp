#include "json_text.hpp"

#include <algorithm>

#include "json.hpp"

namespace exchange {
namespace {

std::string_view name_of(order_state state) {
  switch (state) {
    case order_state::checking: return "checking";
    case order_state::open: return "open";
    case order_state::cancelled: return "cancelled";
  }
  return "?";
}

// Whether a byte stands for itself in a JSON string, whatever is next to it.
bool is_plain(char each) { return each >= ' ' && each <= '~' && each != '"' && each != '\\'; }

void add_amount(object_text& to, const account& of, money amount) {
  to.add("account", of.id);
  to.add("amount", amount);
  to.add("balance", of.balance);
}

}  // namespace

void write(std::string& to, std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    to += '"';
    to += text;
    to += '"';
  } else {
    to += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

void object_text::add(std::string_view name, std::string_view value) { write(begin(name), value); }

std::string& object_text::begin(std::string_view name) {
  to_ += first_ ? "\"" : ",\"";
  to_ += name;
  to_ += "\":";
  first_ = false;
  return to_;
}

void add_members(object_text& to, const account& from) {
  to.add("account", from.id);
  to.add("owner", from.owner);
  to.add("balance", from.balance);
}

void add_members(object_text& to, const order& from) {
  to.add("order", from.id);
  to.add("account", from.account);
  to.add("symbol", from.symbol);
  to.add("quantity", from.quantity);
  to.add("price", from.price);
  to.add("state", name_of(from.state));
}

void add_members(object_text& to, const totals& from) {
  to.add("accounts", from.accounts);
  to.add("deposited", from.deposited);
  to.add("withdrawn", from.withdrawn);
  to.add("balances", from.balances);
  to.add("set_aside", from.set_aside);
  to.add("orders_placed", from.orders_placed);
  to.add("orders_cancelled", from.orders_cancelled);
  to.add("orders_open", from.orders_open);
}

void add_members(object_text& to, const symbol_summary& from) {
  to.add("symbol", from.symbol);
  to.add("placed", from.placed);
  to.add("cancelled", from.cancelled);
  to.add("open_quantity", from.open_quantity);
}

void add_members(object_text& to, const account_opened& from) { add_members(to, from.account); }
void add_members(object_text& to, const money_deposited& from) {
  add_amount(to, from.account, from.amount);
}
void add_members(object_text& to, const money_withdrawn& from) {
  add_amount(to, from.account, from.amount);
}
void add_members(object_text& to, const order_placed& from) { add_members(to, from.order); }
void add_members(object_text& to, const order_cancelled& from) { add_members(to, from.order); }

std::string_view name_of(const account_opened&) { return "account_opened"; }
std::string_view name_of(const money_deposited&) { return "money_deposited"; }
std::string_view name_of(const money_withdrawn&) { return "money_withdrawn"; }
std::string_view name_of(const order_placed&) { return "order_placed"; }
std::string_view name_of(const order_cancelled&) { return "order_cancelled"; }

}  // namespace exchange
