#include "commands.hpp"

#include <string>
#include <utility>

#include "risk.hpp"
#include "unit_of_work.hpp"

namespace exchange {
namespace {

// Most need no coroutine. What they depend on may be one.

account open_account(std::string owner, msgbus::depends<unit_of_work> work) {
  return work->open_account(std::move(owner));
}

account deposit(number id, money amount, msgbus::depends<unit_of_work> work) {
  return work->deposit(id, amount);
}

account withdraw(number id, money amount, msgbus::depends<unit_of_work> work) {
  return work->withdraw(id, amount);
}

// The money is set aside before the check, so that no other order can have it meanwhile. If the
// check refuses, its exception ends the unit of work, which gives the money back.
asio::awaitable<order> place_order(number account, std::string symbol, std::int64_t quantity,
                                   money price, msgbus::depends<unit_of_work> work,
                                   msgbus::depends<get_risk> risk) {
  const order& begun = work->begin_order(account, std::move(symbol), quantity, price);
  const number id = begun.id;
  co_await risk->execute("assess", begun.value());
  order placed = work->open_order(id);
  co_return placed;
}

order cancel_order(number id, msgbus::depends<unit_of_work> work) { return work->cancel_order(id); }

totals sums(msgbus::depends<get_books> books) { return books->sums(); }

}  // namespace

command_operations add_commands(msgbus::async::service& service) {
  return {.open_account = service.handler("open_account", open_account),
          .deposit = service.handler("deposit", deposit),
          .withdraw = service.handler("withdraw", withdraw),
          .place_order = service.handler("place_order", place_order),
          .cancel_order = service.handler("cancel_order", cancel_order),
          .books = service.handler("books", sums)};
}

}  // namespace exchange
