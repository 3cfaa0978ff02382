#include "read_model.hpp"

namespace exchange {

void read_model::on_opened(const account_opened& event) {
  account& own = accounts_[event.account.id].own;
  own.id = event.account.id;
  own.owner = event.account.owner;
  ++totals_.accounts;
}

void read_model::on_deposited(const money_deposited& event) {
  add_money(event.account.id, event.amount);
  totals_.deposited += event.amount;
}

void read_model::on_withdrawn(const money_withdrawn& event) {
  add_money(event.account.id, -event.amount);
  totals_.withdrawn += event.amount;
}

void read_model::on_placed(const order_placed& event) {
  const order& placed = event.order;
  add_money(placed.account, -placed.value());
  accounts_[placed.account].open_orders.emplace(placed.id, placed);
  symbol_summary& symbol = symbols_[placed.symbol];
  ++symbol.placed;
  symbol.open_quantity += placed.quantity;
  totals_.set_aside += placed.value();
  ++totals_.orders_placed;
  ++totals_.orders_open;
}

void read_model::on_cancelled(const order_cancelled& event) {
  const order& cancelled = event.order;
  add_money(cancelled.account, cancelled.value());
  accounts_[cancelled.account].open_orders.erase(cancelled.id);
  symbol_summary& symbol = symbols_[cancelled.symbol];
  ++symbol.cancelled;
  symbol.open_quantity -= cancelled.quantity;
  totals_.set_aside -= cancelled.value();
  ++totals_.orders_cancelled;
  --totals_.orders_open;
}

account read_model::get_account(number id) const {
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) {
    throw refusal("unknown_account", "there is no account " + std::to_string(id));
  }
  return found->second.own;
}

std::vector<order> read_model::list_orders(number account) const {
  constexpr std::size_t most = 100;
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) {
    throw refusal("unknown_account", "there is no account " + std::to_string(account));
  }
  std::vector<order> listed;
  for (const auto& [id, order] : found->second.open_orders) {
    if (listed.size() == most) break;
    listed.push_back(order);
  }
  return listed;
}

std::vector<symbol_summary> read_model::list_symbols() const {
  constexpr std::size_t most = 100;
  std::vector<symbol_summary> listed;
  for (const auto& [name, summary] : symbols_) {
    if (listed.size() == most) break;
    listed.push_back(summary);
    listed.back().symbol = name;
  }
  return listed;
}

void read_model::add_money(number account, money amount) {
  accounts_[account].own.balance += amount;
  totals_.balances += amount;
}

}  // namespace exchange
