#include <msgbus/sync/dead_letters.hpp>

#include <msgbus/any_event.hpp>
#include <msgbus/counters.hpp>
#include <msgbus/error.hpp>
#include <msgbus/observer.hpp>
#include <msgbus/one_of.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace dead_letters_test {

using msgbus::errc;
using msgbus::sync::dead_letter;
using msgbus::sync::dead_letter_counters;
using msgbus::sync::dead_letters;
using msgbus_test::code_of;
using msgbus_test::failing;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

struct placed {
  int id = 0;
};
struct paid {
  std::string by;
};
struct unique {
  std::unique_ptr<int> only = std::make_unique<int>(1);
};

/// A handler that fails as long as it is told, and its letters.
struct shop {
  explicit shop(msgbus::dead_letter_options options = {})
      : letters(std::make_shared<dead_letters>(std::move(options))) {
    orders.handler([this](const placed&) { ++others; });
    orders.handler(
        [this](const placed& order) {
          seen.push_back(order.id);
          if (is_down) throw std::runtime_error("no " + std::to_string(order.id));
        },
        {.retry = {.attempts = 2}, .dead_letters = letters});
  }
  void place(int id) { CHECK_THROWS(orders.consume(placed{id})); }

  bool is_down = true;
  int others = 0;
  std::vector<int> seen;
  std::shared_ptr<dead_letters> letters;
  msgbus::sync::consumer orders;
};

bool is_balanced(const dead_letters& letters) {
  const dead_letter_counters all = letters.stats();
  return all.added == all.replayed + all.discarded + all.dropped + letters.size();
}

}  // namespace

TEST_CASE("a sync handler's message is a letter after its last attempt", "[P1][P8]") {
  shop t;
  t.place(7);
  CHECK(t.seen == std::vector{7, 7});
  REQUIRE(t.letters->size() == 1);
  const dead_letter letter = t.letters->snapshot().at(0);
  CHECK(letter.id == 1);
  CHECK_THAT(letter.message, msgbus_test::contains("placed"));
  CHECK_THAT(letter.handler, msgbus_test::contains("handler of"));
  CHECK(letter.reason == "no 7");
  CHECK(letter.attempts == 2);
  CHECK(letter.topic.empty());
}

TEST_CASE("the verb throws as without letters", "[P2]") {
  shop t;
  CHECK(text_of([&] { t.orders.consume(placed{3}); }) == "no 3");
  t.orders.handler([](const placed&) { throw std::runtime_error("another"); });
  CHECK(code_of([&] { t.orders.consume(placed{4}); }) == errc::handlers_failed);
  CHECK(t.letters->size() == 2);  // of the one handler that has letters
}

TEST_CASE("a message that another attempt has saved is no letter", "[P8]") {
  msgbus::sync::consumer orders;
  const auto letters = std::make_shared<dead_letters>();
  failing once(1);
  orders.handler([&](const placed&) { once.run(); },
                 {.retry = {.attempts = 2}, .dead_letters = letters});
  CHECK(orders.consume(placed{}) == 1);
  CHECK(letters->size() == 0);
}

TEST_CASE("a replay goes to the sync handler that failed, and to no other", "[P8]") {
  shop t;
  for (const int id : {1, 2, 3}) t.place(id);
  t.is_down = false;
  t.seen.clear();
  CHECK(t.letters->replay([](const dead_letter& each) { return each.reason != "no 2"; }) == 2);
  CHECK(t.seen == std::vector{1, 3});
  CHECK(t.others == 3);
  CHECK(t.letters->size() == 1);
  CHECK(t.letters->discard() == 1);
  CHECK(is_balanced(*t.letters));
}

TEST_CASE("a sync replay that fails again is another letter, and throws nothing", "[P8]") {
  shop t;
  t.place(1);
  CHECK(t.letters->replay() == 0);
  REQUIRE(t.letters->size() == 1);
  CHECK(t.letters->snapshot().at(0).id == 2);
  CHECK(t.letters->snapshot().at(0).attempts == 2);
  CHECK(t.letters->stats().replayed == 1);
  CHECK(is_balanced(*t.letters));
}

TEST_CASE("a letter is told by its observer, as its message was", "[P8]") {
  shop t;
  const auto observer = std::make_shared<msgbus::counting_observer>();
  t.orders.observe(observer);
  t.place(1);
  t.is_down = false;
  CHECK(t.letters->replay() == 1);
  CHECK(observer->accepted() == 2);
  CHECK(observer->failed() == 1);
  CHECK(observer->delivered() == 2);  // the other handler, and the replay
}

TEST_CASE("what a sync policy refuses is a letter without an attempt, and a duplicate is none",
          "[P1][P8]") {
  msgbus::sync::consumer orders;
  const auto letters = std::make_shared<dead_letters>();
  int runs = 0;
  orders.handler([&](const placed&) { ++runs; },
                 {.rate_limit = {.permits = 1, .per = 1h},
                  .deduplicate = {.window = 1h,
                                  .key =
                                      [](const msgbus::any_event& event) {
                                        const int id = event.get_if<placed>()->id;
                                        if (id == 3) throw std::runtime_error("no key");
                                        return std::to_string(id);
                                      }},
                  .dead_letters = letters});
  CHECK(orders.consume(placed{1}) == 1);
  CHECK(orders.consume(placed{1}) == 1);
  CHECK(code_of([&] { orders.consume(placed{2}); }) == errc::rate_limited);
  CHECK(text_of([&] { orders.consume(placed{3}); }) == "no key");
  CHECK(runs == 1);
  const auto all = letters->snapshot();
  REQUIRE(all.size() == 2);
  CHECK(all[0].attempts == 0);
  CHECK_THAT(all[0].reason, msgbus_test::contains("the rate limit has no permit"));
  CHECK(all[1].reason == "no key");
}

TEST_CASE("a letter of a breaker has the attempts that were made", "[P3][P8]") {
  msgbus::sync::consumer orders;
  const auto letters = std::make_shared<dead_letters>();
  const auto breaker = std::make_shared<msgbus::circuit_breaker>(
      msgbus::breaker_options{.minimum = 2, .open_for = 1h, .max_open_for = 1h});
  orders.handler([](const placed&) { throw std::runtime_error("down"); },
                 {.breaker = breaker, .retry = {.attempts = 5}, .dead_letters = letters});
  CHECK(code_of([&] { orders.consume(placed{}); }) == errc::circuit_open);
  CHECK(letters->snapshot().at(0).attempts == 2);
}

TEST_CASE("a sync letter whose handler or component has gone stays", "[P8]") {
  const auto letters = std::make_shared<dead_letters>();
  {
    msgbus::sync::consumer orders;
    auto handler = orders.handler([](const placed&) { throw std::runtime_error("down"); },
                                  {.dead_letters = letters});
    CHECK_THROWS(orders.consume(placed{}));
    handler.cancel();
    int runs = 0;
    orders.handler([&](const placed&) { ++runs; });
    CHECK(letters->replay() == 0);
    CHECK(runs == 0);
    CHECK(letters->size() == 1);
  }
  CHECK(letters->replay() == 0);
  CHECK(letters->size() == 1);
  CHECK(letters->discard() == 1);
}

TEST_CASE("sync letters and their component do not keep each other") {
  std::weak_ptr<dead_letters> seen;
  {
    shop t;
    seen = t.letters;
    t.place(1);
  }
  CHECK(seen.expired());
}

TEST_CASE("a sync message on a topic keeps its topic and what it was converted to", "[P8][T5]") {
  msgbus::sync::subscriber inbox;
  const auto letters = std::make_shared<dead_letters>();
  std::vector<std::string> got;
  bool is_down = true;
  inbox.subscribe("names.*",
                  [&](const std::string& name, const msgbus::context& known) {
                    if (is_down) throw std::runtime_error("down");
                    got.push_back(name + " on " + std::string(known.topic()));
                  },
                  {.dead_letters = letters});
  inbox.subscribe("names.new", [&](const std::string&) { got.emplace_back("another"); });
  CHECK_THROWS(inbox.receive("Alice", "names.new"));
  CHECK_THROWS(inbox.receive(std::string("Bob"), "names.old"));
  CHECK(letters->snapshot().at(0).topic == "names.new");
  got.clear();
  is_down = false;
  CHECK(letters->replay() == 2);
  CHECK(got == std::vector<std::string>{"Alice on names.new", "Bob on names.old"});
}

TEST_CASE("a letter keeps a copy: the message may go", "[P8]") {
  msgbus::sync::consumer payments;
  msgbus::sync::producer sender;
  sender.bind(payments);
  const auto letters = std::make_shared<dead_letters>();
  bool is_down = true;
  std::string by;
  payments.handler(
      [&](const msgbus::one_of<placed, paid>& event) {
        if (is_down) throw std::runtime_error("down");
        if (const paid* const payment = event.get_if<paid>()) by = payment->by;
      },
      {.dead_letters = letters});
  CHECK_THROWS(sender.dispatch(paid{"a name that is too long for the string itself"}));
  is_down = false;
  CHECK(letters->replay() == 1);
  CHECK(by == "a name that is too long for the string itself");
}

TEST_CASE("a letter of a handler that takes a view keeps the text", "[P8][T5]") {
  msgbus::sync::subscriber inbox;
  const auto letters = std::make_shared<dead_letters>();
  bool is_down = true;
  std::string got;
  inbox.subscribe("names.*",
                  [&](std::string_view name) {
                    if (is_down) throw std::runtime_error("down");
                    got = name;
                  },
                  {.dead_letters = letters});
  {
    const std::string name = "a name that is too long for the string itself";
    CHECK_THROWS(inbox.receive(name, "names.old"));
  }
  is_down = false;
  CHECK(letters->replay() == 1);
  CHECK(got == "a name that is too long for the string itself");
}

TEST_CASE("a full store loses no letter by a replay that fails", "[P8]") {
  const auto on_full = GENERATE(msgbus::overflow::drop_oldest, msgbus::overflow::drop_newest,
                                msgbus::overflow::reject);
  shop t({.capacity = 2, .on_full = on_full});
  t.place(1);
  t.place(2);
  CHECK(t.letters->replay() == 0);  // both fail again
  REQUIRE(t.letters->size() == 2);
  CHECK(t.letters->snapshot().at(0).reason == "no 1");
  CHECK(t.letters->snapshot().at(1).reason == "no 2");
  CHECK(t.letters->stats().dropped == 0);
  CHECK(is_balanced(*t.letters));
}

TEST_CASE("a sync handler whose messages cannot be kept has no letters") {
  msgbus::sync::consumer orders;
  msgbus::sync::service service;
  const msgbus::sync::policy keeps{.dead_letters = std::make_shared<dead_letters>()};
  CHECK_THAT(text_of([&] { orders.handler([](const unique&) {}, keeps); }),
             msgbus_test::contains("names the types of its messages, and they can be copied"));
  CHECK(code_of([&] { orders.handler([](const msgbus::any_event&) {}, keeps); }) ==
        errc::unsupported);
  CHECK_THAT(text_of([&] { (void)service.handler("add", [](int) {}, keeps); }),
             msgbus_test::contains("operation 'add' cannot have dead_letters"));
  CHECK(orders.consume(unique{}) == 0);
  CHECK(service.operations().empty());
}

TEST_CASE("full sync letters drop the oldest, or what comes", "[P8]") {
  SECTION("the oldest") {
    shop t({.capacity = 1});
    t.place(1);
    t.place(2);
    CHECK(t.letters->snapshot().at(0).reason == "no 2");
    CHECK(is_balanced(*t.letters));
  }
  SECTION("what comes") {
    shop t({.capacity = 1, .on_full = msgbus::overflow::reject});
    t.place(1);
    t.place(2);
    CHECK(t.letters->snapshot().at(0).reason == "no 1");
    CHECK(is_balanced(*t.letters));
  }
}

TEST_CASE("a handler may replay its own letters: the one in hand stays", "[P8]") {
  msgbus::sync::consumer orders;
  const auto letters = std::make_shared<dead_letters>();
  bool is_down = true;
  std::size_t inside = 9, discarded = 9;
  orders.handler(
      [&](const placed&) {
        if (is_down) throw std::runtime_error("down");
        inside = letters->replay();
        discarded = letters->discard();
      },
      {.dead_letters = letters});
  CHECK_THROWS(orders.consume(placed{}));
  is_down = false;
  CHECK(letters->replay() == 1);
  CHECK(inside == 0);
  CHECK(discarded == 0);
  CHECK(is_balanced(*letters));
}

TEST_CASE("wrong values of a sync policy are refused before the handler is attached") {
  msgbus::sync::consumer orders;
  const auto text = [&](const msgbus::sync::policy& how) {
    return text_of([&] { orders.handler([](const placed&) {}, how); });
  };
  CHECK(text({.retry = {.attempts = 0}}) == "retry::attempts is 0, but must be 1 or more");
  CHECK(text({.rate_limit = {.permits = 1, .per = -1s}}) ==
        "rate_limit::per is -1 s, but must be longer than zero");
  CHECK(text({.deduplicate = {.window = 1s, .capacity = 0}}) ==
        "deduplicate::capacity is 0, but must be 1 or more");
  CHECK(orders.consume(placed{}) == 0);
}

}  // namespace dead_letters_test
