#pragma once

/// The commands that change something. The service runs on a strand: between two `co_await`s a
/// command has the books for itself.

#include <msgbus/async.hpp>

#include <cstdint>
#include <string>

#include "domain.hpp"

namespace exchange {

/// By the names of the operations.
struct command_operations {
  msgbus::async::operation<account(std::string owner)> open_account;
  msgbus::async::operation<account(number account, money amount)> deposit;
  msgbus::async::operation<account(number account, money amount)> withdraw;
  msgbus::async::operation<order(number account, std::string symbol, std::int64_t quantity,
                                 money price)>
      place_order;
  msgbus::async::operation<order(number order)> cancel_order;
  msgbus::async::operation<totals()> books;
};

/// Adds them.
command_operations add_commands(msgbus::async::service& service);

}  // namespace exchange
