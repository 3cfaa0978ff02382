// Handlers that have their effect once, however often their message comes.

#include "durable/once.hpp"

#include <msgbus/async.hpp>
#include <msgbus/context.hpp>
#include <msgbus/durable.hpp>
#include <msgbus/transport/memory.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_fixture.hpp"
#include "support/thrown.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace once_test {

using asio::awaitable;
using msgbus::context;
using msgbus::depends;
using msgbus::envelope;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::durable::unit_of_work;
using msgbus::durable::unit_of_work_in;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

struct tap final : msgbus::transport::sink {
  bool take(envelope&& message, bool) noexcept override {
    got.push_back(std::move(message));
    return true;
  }
  std::vector<envelope> got;
};

/// An office with more components that write invoices.
struct office : msgbus_test::durable_fixture {
  subscriber orders{in.executor()};
  service till{in.executor(), {.concurrency = 4}};
  int runs = 0;

  office() {
    orders.override(unit_of_work, unit_of_work_in(db));
    till.override(unit_of_work, unit_of_work_in(db));
  }
  ~office() {
    orders.restore(unit_of_work);
    till.restore(unit_of_work);
  }
  /// Writes an invoice.
  auto bill() {
    return [this](const order_placed& event, depends<unit_of_work> t) {
      ++runs;
      t->execute("insert into invoices values (?)", event.id);
    };
  }
};

/// A service that other processes reach, and the answers that they get.
struct open_till {
  office all;
  msgbus::memory_broker broker;
  msgbus::bridge there{broker.connect(all.in.executor())};
  std::shared_ptr<msgbus::transport::transport> wire = broker.connect(all.in.executor());
  std::shared_ptr<tap> answers = std::make_shared<tap>();
  std::unique_ptr<msgbus::transport::feed> feed = wire->subscribe("answers", {}, answers);

  void ask(const std::string& id, int amount) {
    envelope asked{.topic = "till.pay", .reply_to = "answers"};
    asked.headers.add(msgbus::header::message_id, id);
    asked.payload = std::to_string(amount);
    wire->publish(asked, msgbus::transport::urgency::at_once);
  }
  const envelope& answer(std::size_t number) {
    all.in.run_until([&] { return answers->got.size() > number; });
    return answers->got[number];
  }
};

}  // namespace

TEST_CASE("a message of a route reaches a handler with once until it has been handled once",
          "[R2]") {
  office all;
  all.billing.handler(all.bill(), {.once = "billing"});
  int others = 0;
  all.billing.handler([&](const order_placed&) {
    if (++others < 3) throw std::runtime_error("no ink");
  });
  all.db->route<order_placed>("billing", all.billing);
  all.place(1);
  all.in.run_until([&] { return others == 3; });
  CHECK(all.drain());
  CHECK(all.runs == 1);
  CHECK(all.count("invoices") == 1);
  CHECK(all.count("msgbus_inbox") == 1);
  CHECK(all.db->stats().repeated == 2);
  CHECK(all.db->stats().delivered == 1);
}

TEST_CASE("a handler with once that fails leaves no id and runs again", "[R2][R4]") {
  office all;
  all.billing.handler(
      [&](const order_placed& event, depends<unit_of_work> t) -> awaitable<void> {
        t->execute("insert into invoices values (?)", event.id);
        co_await msgbus_test::hop();
        if (++all.runs < 3) throw std::runtime_error("no paper");
      },
      {.once = "billing"});
  all.db->route<order_placed>("billing", all.billing);
  all.place(1);
  all.in.run_until([&] { return all.runs == 3; });
  CHECK(all.drain());
  CHECK(all.count("invoices") == 1);
  CHECK(all.db->stats().repeated == 0);
}

TEST_CASE("a message of a durable link that comes again is settled without a run", "[R2]") {
  office all;
  msgbus::memory_broker broker;
  msgbus::bridge there(broker.connect(all.in.executor()));
  msgbus::transport::stream_options stream;
  stream.name = "ORDERS";
  stream.topics = {"orders.>"};
  all.in.run(there.ensure_stream(stream));
  int others = 0;
  all.orders.subscribe("orders.placed", all.bill(), {.once = "billing"});
  all.orders.subscribe("orders.placed", [&](const order_placed&) {
    if (++others < 2) throw std::runtime_error("no ink");
  });
  msgbus::durable_options options;
  options.stream = "ORDERS";
  options.durable = "billing";
  options.backoff = 1ms;
  const auto link = all.in.run(there.durable<order_placed>(all.orders, "orders.placed", options));
  const order_placed event{1, "book"};
  (void)all.in.run(there.store(event, "orders.placed"));
  all.in.run_until([&] { return link.stats().acks == 1; });
  CHECK(others == 2);
  CHECK(all.runs == 1);
  CHECK(all.count("invoices") == 1);
}

TEST_CASE("a command that is repeated gets the first answer", "[R2]") {
  open_till shop;
  office& all = shop.all;
  const auto pay =
      all.till.handler("pay",
                       [&](int amount, depends<unit_of_work> t) -> awaitable<std::string> {
                         if (++all.runs == 1) throw std::runtime_error("no change");
                         t->execute("insert into invoices values (?)", amount);
                         co_await msgbus_test::hop();
                         co_return "receipt " + std::to_string(all.runs);
                       },
                       {.once = "pay"});
  shop.there.serve("till", pay);
  shop.ask("a", 5);
  CHECK_THAT(std::string(shop.answer(0).headers.get(msgbus::header::error_text)),
             contains("no change"));
  shop.ask("a", 5);
  shop.ask("a", 5);  // at the same time
  CHECK(shop.answer(1).payload == "\"receipt 2\"");
  CHECK(shop.answer(2).payload == "\"receipt 2\"");
  CHECK(shop.answer(1).headers.get(msgbus::header::content_type) ==
        shop.answer(2).headers.get(msgbus::header::content_type));
  CHECK(all.runs == 2);
  shop.ask("b", 5);
  CHECK(shop.answer(3).payload == "\"receipt 3\"");
  CHECK(all.count("invoices") == 2);
  // In this process it is a new command each time.
  CHECK(all.in.run(pay(5)) == "receipt 4");
}

TEST_CASE("a command without a result is repeated without a run", "[R2]") {
  open_till shop;
  office& all = shop.all;
  const auto pay = all.till.handler("pay",
                                    [&](int amount, depends<unit_of_work> t) {
                                      ++all.runs;
                                      t->execute("insert into invoices values (?)", amount);
                                    },
                                    {.once = "pay"});
  shop.there.serve("till", pay);
  shop.ask("a", 5);
  CHECK(shop.answer(0).headers.get(msgbus::header::error_text).empty());
  shop.ask("a", 5);
  CHECK(shop.answer(1).headers.get(msgbus::header::error_text).empty());
  CHECK(all.runs == 1);
  CHECK(all.count("invoices") == 1);
}

TEST_CASE("a handler with once needs a dependency that keeps the ids", "[R2]") {
  office all;
  all.billing.handler([](const order_placed&) {}, {.once = "billing"});
  CHECK_THROWS_WITH(all.in.run(all.billing.consume<order_placed>(1, "book")),
                    contains("once = 'billing'") && contains("unit_of_work"));
  CHECK(code_of([&] { all.billing.default_policy({.once = "billing"}); }) == errc::unsupported);
}

TEST_CASE("a message that never left the process reaches a handler with once each time", "[R2]") {
  office all;
  all.billing.handler(all.bill(), {.once = "billing"});
  all.in.run(all.billing.consume<order_placed>(1, "book"));
  all.in.run(all.billing.consume<order_placed>(1, "book"));
  CHECK(all.count("invoices") == 2);
  CHECK(all.count("msgbus_inbox") == 0);
}

}  // namespace once_test
