#include "books.hpp"

#include <algorithm>
#include <utility>

namespace exchange {
namespace {

// So that no sum of the demo's can overflow: ten billion in one go, a million billion in all.
constexpr money largest_amount = 1'000'000'000'000;
constexpr money largest_balance = 100'000'000'000'000'000;

std::string text(std::int64_t number) { return std::to_string(number); }

void check_amount(money amount) {
  if (amount < 1 || amount > largest_amount) {
    throw refusal("bad_amount",
                  "the amount must be from 1 to " + text(largest_amount) + ", not " + text(amount));
  }
}

const char* word_for(order_state state) {
  switch (state) {
    case order_state::checking: return "still being checked";
    case order_state::cancelled: return "cancelled already";
    case order_state::open: break;
  }
  return "open";
}

}  // namespace

const account& books::account_of(number id) const {
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) {
    throw refusal("unknown_account", "there is no account " + text(id));
  }
  return found->second;
}

const order& books::order_of(number id) const {
  const auto found = orders_.find(id);
  if (found == orders_.end()) {
    throw refusal("unknown_order", "there is no order " + text(id));
  }
  return found->second;
}

void books::restore(const fact& known) {
  if (const auto* const opened = std::get_if<account_opened>(&known)) {
    accounts_[opened->account.id] = opened->account;
    last_account_ = std::max(last_account_, opened->account.id);
    ++totals_.accounts;
    totals_.balances += opened->account.balance;
  } else if (const auto* const deposited = std::get_if<money_deposited>(&known)) {
    totals_.deposited += deposited->amount;
  } else if (const auto* const withdrawn = std::get_if<money_withdrawn>(&known)) {
    totals_.withdrawn += withdrawn->amount;
  } else if (const auto* const placed = std::get_if<order_placed>(&known)) {
    orders_[placed->order.id] = placed->order;
    last_order_ = std::max(last_order_, placed->order.id);
    ++totals_.orders_placed;
    ++totals_.orders_open;
    totals_.set_aside += placed->order.value();
  } else if (const auto* const cancelled = std::get_if<order_cancelled>(&known)) {
    orders_[cancelled->order.id].state = order_state::cancelled;
    ++totals_.orders_cancelled;
    --totals_.orders_open;
    totals_.set_aside -= cancelled->order.value();
  }
}

transaction::~transaction() {
  while (!undo_.empty()) {
    undo_.back()();
    undo_.pop_back();
  }
}

const account& transaction::open_account(std::string owner) {
  if (owner.empty() || owner.size() > 100) {
    throw refusal("bad_owner",
                  "the owner's name must have 1 to 100 bytes, not " + std::to_string(owner.size()));
  }
  const number id = ++books_.last_account_;
  account& added = books_.accounts_[id];
  undo_.push_back([this, id] {
    books_.accounts_.erase(id);
    --books_.totals_.accounts;
  });
  ++books_.totals_.accounts;
  added.id = id;
  added.owner = std::move(owner);
  facts_.push_back(account_opened{added});
  return added;
}

const account& transaction::deposit(number id, money amount) {
  account& to = account_of(id);
  check_amount(amount);
  if (to.balance > largest_balance - amount) {
    throw refusal("bad_amount", "account " + text(id) + " has " + text(to.balance) + "; with " +
                                    text(amount) + " more it would have more than " +
                                    text(largest_balance));
  }
  add(to, amount);
  undo_.push_back([this, amount] { books_.totals_.deposited -= amount; });
  books_.totals_.deposited += amount;
  facts_.push_back(money_deposited{to, amount});
  return to;
}

const account& transaction::withdraw(number id, money amount) {
  account& from = account_of(id);
  check_amount(amount);
  add(from, -amount);
  undo_.push_back([this, amount] { books_.totals_.withdrawn -= amount; });
  books_.totals_.withdrawn += amount;
  facts_.push_back(money_withdrawn{from, amount});
  return from;
}

const order& transaction::begin_order(number id, std::string symbol, std::int64_t quantity,
                                      money price) {
  account& buyer = account_of(id);
  if (symbol.empty() || symbol.size() > 12 ||
      symbol.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string::npos) {
    throw refusal("bad_symbol", "the symbol must be 1 to 12 capital letters and digits, not '" +
                                    symbol.substr(0, 60) + "'");
  }
  if (quantity < 1 || quantity > 1'000'000) {
    throw refusal("bad_quantity", "the quantity must be from 1 to 1000000, not " + text(quantity));
  }
  if (price < 1 || price > largest_amount / quantity) {
    throw refusal("bad_price", "the price of each of " + text(quantity) + " must be from 1 to " +
                                   text(largest_amount / quantity) + ", not " + text(price));
  }
  const money value = quantity * price;
  add(buyer, -value);

  const number order_id = ++books_.last_order_;
  order& added = books_.orders_[order_id];
  undo_.push_back([this, order_id, value] {
    books_.orders_.erase(order_id);
    books_.totals_.set_aside -= value;
  });
  books_.totals_.set_aside += value;
  added.id = order_id;
  added.account = id;
  added.symbol = std::move(symbol);
  added.quantity = quantity;
  added.price = price;
  return added;
}

const order& transaction::open_order(number id) {
  order& opened = order_of(id);
  undo_.push_back([this, &opened] {
    opened.state = order_state::checking;
    --books_.totals_.orders_placed;
    --books_.totals_.orders_open;
  });
  opened.state = order_state::open;
  ++books_.totals_.orders_placed;
  ++books_.totals_.orders_open;
  facts_.push_back(order_placed{opened});
  return opened;
}

const order& transaction::cancel_order(number id) {
  order& cancelled = order_of(id);
  if (cancelled.state != order_state::open) {
    throw refusal("not_open", "order " + text(id) + " is " + word_for(cancelled.state));
  }
  const money value = cancelled.value();
  add(account_of(cancelled.account), value);
  undo_.push_back([this, &cancelled, value] {
    cancelled.state = order_state::open;
    books_.totals_.set_aside += value;
    --books_.totals_.orders_cancelled;
    ++books_.totals_.orders_open;
  });
  cancelled.state = order_state::cancelled;
  books_.totals_.set_aside -= value;
  ++books_.totals_.orders_cancelled;
  --books_.totals_.orders_open;
  facts_.push_back(order_cancelled{cancelled});
  return cancelled;
}

account& transaction::account_of(number id) {
  return const_cast<account&>(std::as_const(books_).account_of(id));
}

order& transaction::order_of(number id) {
  return const_cast<order&>(std::as_const(books_).order_of(id));
}

void transaction::add(account& to, money amount) {
  if (to.balance + amount < 0) {
    throw refusal("insufficient_funds", "account " + text(to.id) + " has " + text(to.balance) +
                                            ", which is less than " + text(-amount));
  }
  undo_.push_back([this, &to, amount] {
    to.balance -= amount;
    books_.totals_.balances -= amount;
  });
  to.balance += amount;
  books_.totals_.balances += amount;
}

}  // namespace exchange
