#pragma once

/// The commands that change something. The service runs on a strand: between two `co_await`s a
/// command has the books for itself.

#include <msgbus/async.hpp>

namespace exchange {

/// Adds `open_account(owner)`, `deposit(account, amount)` and `withdraw(account, amount)`, which
/// return the account; `place_order(account, symbol, quantity, price)` and `cancel_order(order)`,
/// which return the order; and `books()`, which returns the totals.
void add_commands(msgbus::async::service& service);

}  // namespace exchange
