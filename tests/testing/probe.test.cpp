#include <msgbus/testing/probe.hpp>

#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"

#include <asio/post.hpp>

#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace probe_test {

using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

namespace {

struct order {
  int id;
};

}  // namespace

TEST_CASE("a probe's handler keeps copies of its messages, by type") {
  const probe probe;
  const auto orders = probe.handler<order>();
  const auto texts = probe.handler<std::string>();
  // when: the probe's handlers are called
  orders(order{1}, msgbus::detail::no_context);
  texts("hello", msgbus::context("greetings"));
  orders(order{2}, msgbus::detail::no_context);

  // then: it returns the messages by type
  CHECK(probe.count() == 3);
  const std::vector<order> all = probe.received<order>();
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == 1);
  CHECK(all[1].id == 2);
  CHECK(probe.received<std::string>() == std::vector<std::string>{"hello"});
  CHECK(probe.received<int>().empty());
  // then: it returns the records in order, with topic and type
  const auto sightings = probe.sightings();
  REQUIRE(sightings.size() == 3);
  CHECK(sightings[1].what == seen::received);
  CHECK(sightings[1].topic == "greetings");
  CHECK(sightings[2].message == msgbus::detail::key_of<order>->name);
}

TEST_CASE("a probe observes every step") {
  const probe probe;
  const std::shared_ptr<msgbus::observer> observer = probe;
  const msgbus::step step{"order", "orders.placed"};
  // when: an observer's functions are called
  observer->accepted(step);
  observer->delivered(step);
  observer->delivered(step);
  observer->failed(step, std::make_exception_ptr(std::runtime_error("no luck")));
  observer->dropped(step);
  observer->abandoned(step);
  observer->unrouted(step);
  // then: each step is counted by kind
  CHECK(probe.count() == 0);
  CHECK(probe.count(seen::accepted) == 1);
  CHECK(probe.count(seen::delivered) == 2);
  CHECK(probe.count(seen::failed) == 1);
  CHECK(probe.count(seen::dropped) == 1);
  CHECK(probe.count(seen::abandoned) == 1);
  CHECK(probe.count(seen::unrouted) == 1);
  // then: the failure is kept
  REQUIRE(probe.failures().size() == 1);
  CHECK_THROWS_WITH(std::rethrow_exception(probe.failures()[0]), "no luck");
  CHECK(probe.sightings()[3].what == seen::failed);
  CHECK(probe.sightings()[3].message == "order");
  CHECK(probe.sightings()[3].topic == "orders.placed");
}

TEST_CASE("a cleared probe has no records") {
  probe probe;
  probe.handler<order>()(order{1}, msgbus::detail::no_context);
  probe.clear();
  CHECK(probe.count() == 0);
  CHECK(probe.received<order>().empty());
  CHECK(probe.sightings().empty());
}

TEST_CASE("a probe's handlers and observers may outlive it, and copies are the same probe") {
  std::optional<probe> first(std::in_place);
  const probe second = *first;
  const auto handler = first->handler<order>();
  first.reset();
  handler(order{1}, msgbus::detail::no_context);
  CHECK(second.count() == 1);
}

TEST_CASE("a probe waits for other threads, up to a time limit") {
  const probe probe;
  CHECK(probe.wait_for(0));
  CHECK_FALSE(probe.wait_for(1, 1ms));
  std::thread other(
      [handler = probe.handler<order>(), observer = std::shared_ptr<msgbus::observer>(probe)] {
        for (int i = 0; i < 100; ++i) handler(order{i}, msgbus::detail::no_context);
        observer->dropped({"order", ""});
      });
  CHECK(probe.wait_for(100, probe::duration::max()));
  CHECK(probe.wait_for(seen::dropped, 1));
  other.join();
  CHECK(probe.received<order>().size() == 100);
  CHECK_FALSE(probe.wait_for(101, 1ms));
  CHECK_FALSE(probe.wait_for(101, probe::duration::min()));
  CHECK(probe.wait_for(100, probe::duration::min()));
}

TEST_CASE("a probe runs a stepping context until it has enough records") {
  const probe probe;
  stepping_context context;
  for (int i = 0; i < 5; ++i) {
    asio::post(context.get_executor(), [handler = probe.handler<order>(), i] {
      handler(order{i}, msgbus::detail::no_context);
    });
  }
  CHECK(probe.wait_for(context, 3));
  CHECK(probe.count() == 3);
  CHECK_FALSE(probe.wait_for(context, 6));
  CHECK(probe.count() == 5);
  CHECK_FALSE(probe.wait_for(context, seen::failed, 1));
}

TEST_CASE("a probe may be a component's observer, and provide its handlers") {
  const probe probe;
  msgbus::sync::consumer consumer;
  consumer.observe(probe);
  consumer.handler(probe.handler<order>());
  consumer.handler([](const order& event) {
    if (event.id == 2) throw std::runtime_error("no luck");
  });
  consumer.consume(order{1});
  CHECK_THROWS(consumer.consume(order{2}));
  consumer.consume(std::string("nobody's"));
  CHECK(probe.received<order>().size() == 2);
  CHECK(probe.count(seen::failed) == 1);
  CHECK(probe.count(seen::unrouted) == 1);
}

TEST_CASE("a sighting is printed with its members, and with a failure if it has one") {
  std::ostringstream out;
  msgbus::testing::sighting sighting{msgbus::testing::seen::received, "order", "", nullptr};
  out << sighting << '\n';
  sighting.what = msgbus::testing::seen::failed;
  sighting.failure = std::make_exception_ptr(std::runtime_error("no disk"));
  out << sighting;
  CHECK(out.str() == R"(sighting{.what = received, .message = "order", .topic = ""})"
                     "\n"
                     R"(sighting{.what = failed, .message = "order", .topic = "", )"
                     R"(.failure = "no disk"})");
}

}  // namespace probe_test
