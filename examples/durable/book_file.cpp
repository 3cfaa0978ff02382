#include "book_file.hpp"

#include <cstdio>
#include <fstream>
#include <set>
#include <utility>
#include <variant>
#include <vector>

namespace exchange {
namespace {

using msgbus::durable::row;
using file_transaction = msgbus::durable::transaction;

/// The rows of a fact. Balances change by an amount, and are not set: in memory they hold what
/// other commands have set aside, which are not committed yet.
struct writer {
  file_transaction& t;

  void add(number account, money amount) const {
    t.execute("update accounts set balance = balance + ? where id = ?", amount, account);
  }
  void move(number account, money amount) const {
    add(account, amount);
    t.execute("insert into moves (account, amount) values (?, ?)", account, amount);
  }
  void operator()(const account_opened& event) const {
    t.execute("insert into accounts values (?, ?, 0)", event.account.id, event.account.owner);
  }
  void operator()(const money_deposited& event) const { move(event.account.id, event.amount); }
  void operator()(const money_withdrawn& event) const { move(event.account.id, -event.amount); }
  void operator()(const order_placed& event) const {
    const order& placed = event.order;
    add(placed.account, -placed.value());
    t.execute("insert into orders values (?, ?, ?, ?, ?, 0)", placed.id, placed.account,
              placed.symbol, placed.quantity, placed.price);
    t.dispatch(order_entered{placed.id, placed.value()});
  }
  void operator()(const order_cancelled& event) const {
    add(event.order.account, event.order.value());
    t.execute("update orders set cancelled = 1 where id = ?", event.order.id);
  }
};

order order_in(const row& from) {
  order made;
  made.id = from.get<number>("id");
  made.account = from.get<number>("account");
  made.symbol = from.get<std::string>("symbol");
  made.quantity = from.get<std::int64_t>("quantity");
  made.price = from.get<money>("price");
  made.state = from.get<bool>("cancelled") ? order_state::cancelled : order_state::open;
  return made;
}

asio::awaitable<std::int64_t> number_of(durable_ptr db, const char* query) {
  auto asking = db->query(query);
  const std::vector<row> rows = co_await std::move(asking);
  co_return rows.at(0).get<std::int64_t>(0);
}

}  // namespace

asio::awaitable<void> make_tables(durable_ptr db) {
  auto make = [](file_transaction& t) -> asio::awaitable<void> {
    t.execute(
        "create table if not exists accounts"
        " (id integer primary key, owner text not null, balance integer not null)");
    t.execute(
        "create table if not exists moves"
        " (id integer primary key, account integer not null, amount integer not null)");
    t.execute(
        "create table if not exists orders (id integer primary key, account integer not null,"
        " symbol text not null, quantity integer not null, price integer not null,"
        " cancelled integer not null)");
    t.execute(
        "create table if not exists ledger (number integer not null, value integer not null)");
    co_return;
  };
  auto making = db->transaction(make);
  co_await std::move(making);
}

asio::awaitable<void> restore(durable_ptr db, books& to, msgbus::async::producer& facts) {
  std::vector<fact> all;
  auto accounts = db->query(
      "select id, owner, balance,"
      " (select total(amount) from moves where account = a.id and amount > 0) as deposited,"
      " (select -total(amount) from moves where account = a.id and amount < 0) as withdrawn"
      " from accounts a");
  const std::vector<row> account_rows = co_await std::move(accounts);
  for (const row& each : account_rows) {
    account known{each.get<number>("id"), each.get<std::string>("owner"),
                  each.get<money>("balance")};
    all.emplace_back(account_opened{known});
    const auto deposited = static_cast<money>(each.get<double>("deposited"));
    const auto withdrawn = static_cast<money>(each.get<double>("withdrawn"));
    if (deposited > 0) all.emplace_back(money_deposited{known, deposited});
    if (withdrawn > 0) all.emplace_back(money_withdrawn{known, withdrawn});
  }
  auto orders = db->query("select * from orders");
  const std::vector<row> order_rows = co_await std::move(orders);
  for (const row& each : order_rows) {
    const order known = order_in(each);
    all.emplace_back(order_placed{known});
    if (known.state == order_state::cancelled) all.emplace_back(order_cancelled{known});
  }
  for (fact& each : all) {
    to.restore(each);
    auto telling = facts.dispatch(std::move(each));
    (void)co_await std::move(telling);
  }
}

asio::awaitable<void> durable_unit_of_work::operator()(
    msgbus::async::yield<transaction&> yield, msgbus::depends<get_books> books,
    msgbus::depends<get_announcer> announcer) const {
  transaction work(*books);
  co_await yield(work);
  auto write = [&work](file_transaction& t) -> asio::awaitable<void> {
    for (const fact& each : work.facts()) std::visit(writer{t}, each);
    co_return;
  };
  auto writing = db_->transaction(write);
  co_await std::move(writing);  // if it throws, the books are rolled back
  work.commit();
  for (fact& event : work.facts()) co_await announcer->announce(std::move(event));
}

void keep_ledger(msgbus::async::consumer& ledger, durable_ptr db) {
  ledger.override(msgbus::durable::unit_of_work, msgbus::durable::unit_of_work_in(std::move(db)));
  ledger.handler(
      [](const order_entered& event, msgbus::depends<msgbus::durable::unit_of_work> t) {
        t->execute("insert into ledger values (?, ?)", event.order, event.value);
      },
      {.once = "ledger"});
}

asio::awaitable<bool> check_books(durable_ptr db, std::string answered) {
  while (co_await number_of(db, "select count(*) from msgbus_outbox") != 0) {
  }
  std::set<number> kept;
  auto orders = db->query("select id from orders");
  const std::vector<row> rows = co_await std::move(orders);
  for (const row& each : rows) kept.insert(each.get<number>(0));
  std::set<number> told;
  std::size_t lost = 0;
  std::size_t twice = 0;
  std::ifstream file(answered);
  for (number id = 0; file >> id;) {
    if (!told.insert(id).second) ++twice;  // the order of the first answer was lost
    if (!kept.contains(id)) ++lost;
  }
  const auto entered = co_await number_of(db, "select count(*) from ledger");
  const auto distinct = co_await number_of(db, "select count(distinct number) from ledger");
  const auto off = co_await number_of(
      db,
      "select (select total(amount) from moves) - (select total(balance) from accounts)"
      " - (select total(quantity * price) from orders where cancelled = 0) <> 0");
  std::printf("orders answered: %zu, lost: %zu, answered twice: %zu; in the books: %zu\n",
              told.size(), lost, twice, kept.size());
  std::printf("orders in the ledger: %lld, each of them once: %s\n",
              static_cast<long long>(entered), distinct == entered ? "yes" : "NO");
  std::printf("the balances are what was moved, less the open orders: %s\n",
              off == 0 ? "yes" : "NO");
  const bool is_right = !told.empty() && lost == 0 && twice == 0 && entered == distinct &&
                        entered == static_cast<std::int64_t>(kept.size()) && off == 0;
  std::printf("%s\n", is_right ? "passed: every order that was answered is there, once"
                               : "FAILED: the file is not what the answers said");
  co_return is_right;
}

}  // namespace exchange
