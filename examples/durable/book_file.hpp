#pragma once

/// The books of the server in a file. A command's rows and the message that it leads to are one
/// commit, and its answer is sent after that: what was answered is there, however the process ends.

#include <msgbus/durable.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <string>

#include "application.hpp"
#include "books.hpp"
#include "domain.hpp"
#include "unit_of_work.hpp"

namespace exchange {

/// Goes through the file to the ledger.
struct order_entered {
  number order = 0;
  money value = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_entered, order, value)

using durable_ptr = std::shared_ptr<msgbus::durable::database>;

asio::awaitable<void> make_tables(durable_ptr db);

/// Reads what earlier processes have left into the books, and tells the read model.
asio::awaitable<void> restore(durable_ptr db, books& to, msgbus::async::producer& facts);

/// The unit of work of a command: in the books, as without a file, and in the file before the books
/// are committed. Commands that run at the same time are committed together.
class durable_unit_of_work {
 public:
  explicit durable_unit_of_work(durable_ptr db) : db_(std::move(db)) {}
  asio::awaitable<void> operator()(msgbus::async::yield<transaction&> yield,
                                   msgbus::depends<get_books> books,
                                   msgbus::depends<get_announcer> announcer) const;

 private:
  durable_ptr db_;
};

/// Enters each order into the ledger, which is a table of the same file, once.
void keep_ledger(msgbus::async::consumer& ledger, durable_ptr db);

/// Waits until the ledger has every message, and compares the file with the numbers of orders that
/// were answered, one a line. False: it is wrong.
asio::awaitable<bool> check_books(durable_ptr db, std::string answered);

}  // namespace exchange
