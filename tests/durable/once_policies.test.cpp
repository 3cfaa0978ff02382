// `once` beside the parts of a policy that also know of repeated messages. It is not in the matrix
// of tests/policy: a database has threads and times of its own, which no manual clock moves.

#include <msgbus/async.hpp>
#include <msgbus/durable.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_fixture.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace once_policies_test {

using asio::awaitable;
using msgbus::depends;
using msgbus::async::dead_letters;
using msgbus::durable::unit_of_work;
using msgbus_test::order_placed;
using namespace std::chrono_literals;

namespace {

/// A consumer that writes invoices, and fails the first times, after it has written.
struct office : msgbus_test::durable_fixture {
  auto bill(int failures) {
    return [this, failures](const order_placed& event, depends<unit_of_work> t) {
      t->execute("insert into invoices values (?)", event.id);
      if (++runs <= failures) throw std::runtime_error("no paper");
    };
  }
  /// Delivers messages again, since another handler of theirs fails.
  void repeat(int times) {
    billing.handler([this, times](const order_placed&) {
      if (++deliveries <= times) throw std::runtime_error("no ink");
    });
  }
  /// Delivers one message.
  void deliver() {
    db->route<order_placed>("billing", billing);
    place(1);
  }

  int runs = 0;
  int deliveries = 0;
};

}  // namespace

TEST_CASE("a failed attempt leaves no id, and a message with an id makes no attempt", "[R2][P3]") {
  office all;
  all.billing.handler(all.bill(2), {.once = "billing", .retry = {.attempts = 3, .backoff = 1ms}});
  all.repeat(2);
  all.deliver();
  all.in.run_until([&] { return all.deliveries == 3; });
  CHECK(all.drain());
  CHECK(all.runs == 3);
  CHECK(all.invoices() == 1);
  CHECK(all.count("msgbus_inbox") == 1);
  CHECK(all.db->stats().repeated == 2);
}

TEST_CASE("an id is kept when the filter of duplicates has forgotten its message", "[R2][P1]") {
  office all;
  const auto key = [](const msgbus::any_event& event) {
    return std::to_string(event.get_if<order_placed>()->id);
  };
  all.billing.handler(
      all.bill(0), {.once = "billing", .deduplicate = {.window = 1h, .capacity = 1, .key = key}});
  all.billing.handler([&](const order_placed& event) -> awaitable<void> {
    if (event.id != 1) co_return;
    ++all.deliveries;
    // The filter has recognised the second delivery. Then it forgets the message for this one.
    if (all.deliveries == 2) {
      CHECK(all.db->stats().repeated == 0);
      const order_placed other{2, "book"};
      co_await all.billing.consume(other);
    }
    if (all.deliveries <= 2) throw std::runtime_error("no ink");
  });
  all.deliver();
  all.in.run_until([&] { return all.deliveries == 3; });
  CHECK(all.drain());
  CHECK(all.runs == 2);  // of two messages
  CHECK(all.invoices() == 2);
  CHECK(all.db->stats().repeated == 1);
}

TEST_CASE("dead letters of one message have one effect when they are replayed", "[R2][P8]") {
  office all;
  const auto dead = std::make_shared<dead_letters>();
  all.billing.handler(all.bill(3), {.once = "billing", .dead_letters = dead});
  all.deliver();  // the route gives up after three deliveries
  all.in.run_until([&] { return dead->size() == 3; });
  CHECK(all.invoices() == 0);
  CHECK(all.count("msgbus_inbox") == 0);
  CHECK(all.in.run(dead->replay()) == 3);
  CHECK(dead->size() == 0);
  CHECK(all.runs == 4);
  CHECK(all.invoices() == 1);
  CHECK(all.db->stats().repeated == 2);
}

}  // namespace once_policies_test
