// The components of which one is chosen for a message: which they are, and what else they do.

#include "support/one_of_shops.hpp"

#include <algorithm>
#include <span>
#include <string>

namespace one_of_members_test {

using asio::awaitable;
using msgbus::by_key;
using msgbus::errc;
using msgbus::pick;
using msgbus::receipt;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus_test::shops;
using order = msgbus_test::shop_order;
using counts = std::array<std::size_t, 3>;
using namespace std::chrono_literals;

TEST_CASE("a handler that sends to a group it belongs to waits for the others only", "[A6]") {
  shops s({.capacity = 1}, std::nullopt);
  consumer slow(s.context.get_executor(), {.capacity = 1});
  slow.observe(s.watching);
  std::size_t handled = 0;
  slow.handler([&](const order&) -> awaitable<void> {
    co_await msgbus::exec::sleep(1s);
    ++handled;
  });
  producer both, alone;
  std::optional<receipt> given;
  consumer sends(s.context.get_executor(), {.capacity = 1});
  sends.observe(s.watching);
  sends.handler([&](const order& o) -> awaitable<void> {
    co_await msgbus_test::hop();
    if (o.number != 1) co_return;
    const order next{0, 2};
    given = co_await both.send(next);
  });
  both.bind_one_of(sends, slow);
  for (int i = 0; i < 2; ++i) {
    (void)slow.post(order{});
    s.context.run();
  }
  (void)sends.post(order{0, 1});
  s.context.step();
  (void)sends.post(order{0, 3});
  s.pass(1min);
  REQUIRE(given);
  CHECK(*given == receipt{.admitted = 1});
  CHECK(msgbus_test::is_conserved(slow.stats()));
  CHECK(msgbus_test::is_conserved(sends.stats()));
}

TEST_CASE("an awaited dispatch goes to one of several, and full ones are a last resort", "[A6]") {
  shops s({.capacity = 1});
  s.takes = {1h, 1h, 0s};
  for (int i = 0; i < 2; ++i) {
    (void)s.all[0]->post(order{});
    (void)s.all[1]->post(order{});
    s.context.run();
  }
  for (int i = 0; i < 4; ++i) CHECK(s.clock.run(s.context, s.orders.dispatch(order{})) == 1);
  CHECK(s.counts() == counts{0, 0, 4});
  s.all[2]->close();
  s.takes = {};
  CHECK(s.clock.run(s.context, s.orders.dispatch(order{})) == 1);  // needs no mailbox
  CHECK(s.seen[0].size() + s.seen[1].size() == 1);
  for (auto& each : s.all) each->close();
  CHECK(msgbus_test::code_of([&] { s.clock.run(s.context, s.orders.dispatch(order{})); }) ==
        errc::closed);
  CHECK(s.rejected() == 1);
  s.pass(3h);
  s.check();
}

TEST_CASE("a group gets each message beside those that are bound alone") {
  shops s({}, std::nullopt);
  s.orders.bind(*s.all[0]);
  s.orders.bind_one_of(*s.all[1], *s.all[2]);
  for (int i = 0; i < 4; ++i) CHECK(s.post() == receipt{.admitted = 2});
  CHECK(s.clock.run(s.context, s.orders.dispatch(order{})) == 2);
  s.context.run();
  CHECK(s.seen[0].size() == 5);
  CHECK(s.seen[1].size() + s.seen[2].size() == 5);
}

TEST_CASE("a scheduled message goes to the one of several that is chosen at the call", "[P6]") {
  shops s;
  for (int i = 0; i < 6; ++i) (void)s.orders.send_after(1s, order{0, i});
  msgbus::scheduled last = s.orders.send_after(1s, order{0, 6});
  CHECK(last.cancel());
  s.pass(1s);
  CHECK(s.counts() == std::array<std::size_t, 3>{2, 2, 2});
  s.check();
}

TEST_CASE("members may be unbound and destroyed, and the last leaves messages unrouted", "[D8]") {
  shops s;
  s.all[0].reset();
  for (int i = 0; i < 4; ++i) CHECK(s.post().admitted == 1);
  s.orders.unbind(*s.all[1]);
  for (int i = 0; i < 4; ++i) CHECK(s.post().admitted == 1);
  s.context.run();
  CHECK(s.seen[1].size() == 2);
  CHECK(s.seen[2].size() == 6);
  s.all[2].reset();
  CHECK(s.post() == receipt{});
  CHECK(s.clock.run(s.context, s.orders.dispatch(order{})) == 0);
  CHECK(s.orders.unrouted() == 2);
}

TEST_CASE("a group outlives its producer no longer than the messages on their way", "[D8]") {
  msgbus::testing::stepping_context context;
  consumer a(context.get_executor()), b(context.get_executor());
  const auto held = std::make_shared<int>(0);
  {
    producer orders;
    orders.bind_one_of(
        a, b, {.by = pick::key, .keys = {by_key<order>([held](const order&) { return *held; })}});
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("any number may be bound, given as pointers") {
  msgbus::testing::stepping_context context;
  std::vector<std::unique_ptr<consumer>> all;
  std::vector<consumer*> pointers;
  int handled = 0;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<consumer>(context.get_executor()));
    all.back()->handler([&](const order&) { ++handled; });
    pointers.push_back(all.back().get());
  }
  producer orders;
  orders.bind_one_of(std::span<consumer* const>(pointers), {.by = pick::least_waiting});
  for (int i = 0; i < 40; ++i) CHECK(orders.post(order{}).admitted == 1);
  for (const auto& each : all) CHECK(each->waiting() == 2);
  context.run();
  CHECK(handled == 40);
}

TEST_CASE("a publisher sends each message to one of several subscribers") {
  msgbus::testing::stepping_context context;
  msgbus::async::subscriber a(context.get_executor()), b(context.get_executor());
  std::array<std::vector<std::string>, 2> seen;
  const auto record = [&](std::size_t at) {
    return [&seen, at](const order&, const msgbus::context& about) {
      seen[at].push_back(std::string(about.topic()));
    };
  };
  a.subscribe("orders.*", record(0));
  b.subscribe("orders.*", record(1));
  msgbus::async::publisher in_turn, by_topic;
  in_turn.bind_one_of(a, b);
  for (int i = 0; i < 6; ++i) CHECK(in_turn.post(order{}, "orders.a").admitted == 1);
  context.run();
  CHECK(seen[0].size() == 3);
  CHECK(seen[1].size() == 3);
  by_topic.bind_one_of(
      a, b,
      {.by = pick::key,
       .keys = {by_key<order>([](const order&, std::string_view topic) { return topic; })}});
  for (auto& each : seen) each.clear();
  for (int i = 0; i < 3; ++i) {
    for (const char* topic : {"orders.a", "orders.b", "orders.c", "orders.d", "orders.e"}) {
      (void)by_topic.post(order{}, topic);
    }
  }
  context.run();
  CHECK(seen[0].size() + seen[1].size() == 15);
  for (const std::string& topic : seen[0]) {
    CHECK(std::find(seen[1].begin(), seen[1].end(), topic) == seen[1].end());
  }
}

}  // namespace one_of_members_test
