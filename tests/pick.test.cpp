#include <msgbus/pick.hpp>

#include <msgbus/async.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/thread_pool.hpp>

#include <array>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <sstream>
#include <vector>

namespace pick_test {

using asio::awaitable;
using msgbus::by_key;
using msgbus::errc;
using msgbus::overflow;
using msgbus::pick;
using msgbus::pick_options;
using msgbus::receipt;
using msgbus::async::consumer;
using msgbus::async::mailbox_options;
using msgbus::async::producer;
using namespace std::chrono_literals;

namespace {

struct order {
  int account = 0;
  int number = 0;
};

const auto account_of = [](const order& o) { return o.account; };

/// Three consumers that record what they handle, each after a time of its own.
struct shops {
  explicit shops(mailbox_options options = {}, std::optional<pick_options> how = pick_options{}) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].emplace(context.get_executor(), options);
      all[i]->observe(watching);
      all[i]->handler([this, i](const order& o) -> awaitable<void> {
        if (takes[i] != 0s) co_await msgbus::exec::sleep(takes[i]);
        seen[i].push_back(o);
      });
    }
    if (how) orders.bind_one_of(*all[0], *all[1], *all[2], *how);
  }
  receipt post(int account = 0, int number = 0) { return orders.post(order{account, number}); }
  [[nodiscard]] std::array<std::size_t, 3> counts() const {
    return {seen[0].size(), seen[1].size(), seen[2].size()};
  }
  [[nodiscard]] std::array<std::size_t, 3> waiting() const {
    return {all[0]->waiting(), all[1]->waiting(), all[2]->waiting()};
  }
  void pass(std::chrono::steady_clock::duration time) { clock.run_for(context, time); }
  [[nodiscard]] std::uint64_t rejected() const {
    return all[0]->stats().rejected + all[1]->stats().rejected + all[2]->stats().rejected;
  }
  void check() const {
    for (const auto& each : all) REQUIRE((!each || msgbus_test::is_conserved(each->stats())));
  }

  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock{context};
  msgbus::testing::probe watching;
  std::array<std::chrono::steady_clock::duration, 3> takes{};
  std::array<std::vector<order>, 3> seen;
  std::array<std::optional<consumer>, 3> all;
  producer orders;
};

using counts = std::array<std::size_t, 3>;

}  // namespace

TEST_CASE("each message goes to one of several, in turn") {
  shops s;
  for (int i = 0; i < 9; ++i) CHECK(s.post(0, i) == receipt{.admitted = 1});
  s.context.run();
  CHECK(s.counts() == counts{3, 3, 3});
  CHECK(s.seen[0][1].number == 3);
}

TEST_CASE("each message goes to the one with the fewest that wait or are handled") {
  shops s({}, pick_options{.by = pick::least_waiting});
  s.takes = {1h, 1s, 1s};
  for (int i = 0; i < 30; ++i) {
    (void)s.post();
    s.pass(500ms);
  }
  // The slow one gets its first and no other: the others always have less.
  CHECK(s.all[0]->stats().accepted == 1);
  CHECK(s.all[1]->stats().accepted + s.all[2]->stats().accepted == 29);
  s.pass(2h);
  s.check();
}

TEST_CASE("those with equally few messages get them in turn") {
  shops s({}, pick_options{.by = pick::least_waiting});
  for (int i = 0; i < 30; ++i) {
    (void)s.post();
    s.context.run();
  }
  CHECK(s.counts() == counts{10, 10, 10});
}

TEST_CASE("all messages of a key go to the same one, in order", "[P5]") {
  shops s({}, pick_options{.by = pick::key, .keys = {by_key<order>(account_of)}});
  s.takes = {1s, 2s, 3s};
  for (int number = 0; number < 5; ++number) {
    for (int account = 0; account < 60; ++account) (void)s.post(account, number);
  }
  s.pass(1h);
  std::map<int, std::vector<int>> by_account;
  for (const auto& seen : s.seen) {
    CHECK(seen.size() >= 50);  // of 300: the keys are spread
    std::map<int, std::vector<int>> here;
    for (const order& each : seen) here[each.account].push_back(each.number);
    for (const auto& [account, numbers] : here) {
      CHECK(numbers == std::vector<int>{0, 1, 2, 3, 4});
      CHECK(by_account.emplace(account, numbers).second);
    }
  }
  CHECK(by_account.size() == 60);
}

TEST_CASE("when one of several closes, only its own keys go elsewhere", "[P5]") {
  shops s({}, pick_options{.by = pick::key, .keys = {by_key<order>(account_of)}});
  for (int account = 0; account < 60; ++account) (void)s.post(account, 0);
  s.context.run();
  const auto before = s.seen;
  s.all[1]->close();
  for (auto& each : s.seen) each.clear();
  for (int account = 0; account < 60; ++account) CHECK(s.post(account, 1).admitted == 1);
  s.context.run();
  CHECK(s.seen[1].empty());
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    CHECK(s.seen[i].size() > before[i].size());
    for (const order& each : before[i]) {
      CHECK(std::any_of(s.seen[i].begin(), s.seen[i].end(),
                        [&](const order& now) { return now.account == each.account; }));
    }
  }
}

TEST_CASE("messages of a type without a key function are one key", "[P5]") {
  shops s({}, pick_options{.by = pick::key});
  for (int i = 0; i < 9; ++i) (void)s.post(i);
  s.context.run();
  counts got = s.counts();
  std::sort(got.begin(), got.end());
  CHECK(got == counts{0, 0, 9});
}

TEST_CASE("one that is full is passed over, whatever its overflow policy", "[A6]") {
  for (const auto on_full :
       {overflow::suspend, overflow::reject, overflow::drop_newest, overflow::drop_oldest}) {
    INFO(on_full);
    shops s({.capacity = 2, .on_full = on_full}, std::nullopt);
    consumer large(s.context.get_executor(), {.capacity = 100});
    large.observe(s.watching);
    std::size_t handled = 0;
    large.handler([&](const order&) { ++handled; });
    s.orders.bind_one_of(*s.all[0], large);
    for (int i = 0; i < 20; ++i) CHECK(s.post() == receipt{.admitted = 1});
    CHECK(s.all[0]->waiting() == 2);
    CHECK(large.waiting() == 18);
    s.context.run();
    CHECK(s.all[0]->stats().dropped == 0);
    CHECK(handled == 18);
  }
}

TEST_CASE("by key, one that is full is not passed over", "[P5][A6]") {
  shops s({.capacity = 2}, pick_options{.by = pick::key, .keys = {by_key<order>(account_of)}});
  for (int i = 0; i < 2; ++i) CHECK(s.post(1, i).admitted == 1);
  CHECK(s.post(1, 2).rejected == 1);
  auto waits = s.context.spawn(s.orders.send(order{1, 3}));
  s.context.run();
  CHECK(waits.done());
  const auto got = s.counts();
  CHECK(std::accumulate(got.begin(), got.end(), std::size_t{0}) == 3);
  CHECK(s.rejected() == 1);
  s.check();
}

TEST_CASE("one that is closed is passed over, and where all are, the first refuses", "[A7][A10]") {
  shops s;
  s.all[0]->close();
  for (int i = 0; i < 6; ++i) CHECK(s.post().admitted == 1);
  s.context.run();
  CHECK(s.seen[0].empty());
  CHECK(s.seen[1].size() + s.seen[2].size() == 6);
  for (auto& each : s.all) each->close();
  CHECK(s.post() == receipt{.rejected = 1});
  auto sent = s.context.spawn(s.orders.send(order{}));
  s.context.run();
  CHECK(sent.get() == receipt{.rejected = 1});
  CHECK(s.rejected() == 2);
  s.check();
}

TEST_CASE("where all are full, a post is rejected once, and a send waits", "[A6][A7]") {
  shops s({.capacity = 1});
  s.takes = {3s, 2s, 1s};
  for (int i = 0; i < 3; ++i) CHECK(s.post().admitted == 1);
  s.context.run();  // each has one in hand
  for (int i = 0; i < 3; ++i) CHECK(s.post().admitted == 1);
  CHECK(s.post() == receipt{.rejected = 1});
  CHECK(s.rejected() == 1);
  auto first = s.context.spawn(s.orders.send(order{0, 77}));
  s.context.run();
  CHECK_FALSE(first.done());
  s.pass(1s);  // the quickest has space
  CHECK(first.get() == receipt{.admitted = 1});
  s.pass(1min);
  REQUIRE(s.seen[2].size() == 3);
  CHECK(s.seen[2][2].number == 77);
  CHECK(s.counts() == counts{2, 2, 3});
  s.check();
}

TEST_CASE("a sender that waits at several is cancelled without having sent anything", "[A9]") {
  shops s({.capacity = 1});
  s.takes = {3s, 2s, 1s};
  for (int i = 0; i < 6; ++i) {
    (void)s.post();
    s.context.run();
  }
  auto cancelled = s.context.spawn(s.orders.send(order{0, 1}));
  auto other = s.context.spawn(s.orders.send(order{0, 2}));
  s.context.run();
  cancelled.cancel();
  s.context.run();
  REQUIRE(cancelled.done());
  CHECK(msgbus::exec::is_aborted(cancelled.failure()));
  s.pass(1min);
  CHECK(other.get().admitted == 1);
  const auto got = s.counts();
  CHECK(std::accumulate(got.begin(), got.end(), std::size_t{0}) == 7);
  s.check();
}

TEST_CASE("a sender that waits goes on when the last of them closes", "[A10]") {
  shops s({.capacity = 1});
  s.takes = {1h, 1h, 1h};
  for (int i = 0; i < 6; ++i) {
    (void)s.post();
    s.context.run();
  }
  auto waits = s.context.spawn(s.orders.send(order{0, 1}));
  s.context.run();
  s.all[0]->close();
  s.all[1]->close();
  s.context.run();
  CHECK_FALSE(waits.done());
  s.all[2]->close();
  s.context.run();
  CHECK(waits.get() == receipt{.rejected = 1});
  CHECK(s.rejected() == 1);
  s.pass(3h);
  s.check();
}

TEST_CASE("many that wait at several mailboxes all get their place", "[A6][A9]") {
  std::mt19937 random(3);
  for (int n = 0; n < 60; ++n) {
    shops s({.capacity = 1 + random() % 2},
            pick_options{.by = n % 2 == 0 ? pick::round_robin : pick::least_waiting});
    for (auto& each : s.takes) each = std::chrono::milliseconds(random() % 3000);
    std::vector<msgbus::testing::spawned<receipt>> sent;
    for (int i = 0; i < 30; ++i) sent.push_back(s.context.spawn(s.orders.send(order{0, i})));
    s.pass(std::chrono::milliseconds(random() % 5000));
    std::size_t cancelled = 0;
    for (auto& each : sent) {
      if (random() % 4 == 0) each.cancel();
    }
    s.pass(1h);
    std::size_t admitted = 0;
    for (auto& each : sent) {
      REQUIRE(each.done());
      if (each.failure()) {
        REQUIRE(msgbus::exec::is_aborted(each.failure()));
        ++cancelled;
      } else {
        REQUIRE(each.get() == receipt{.admitted = 1});
        ++admitted;
      }
    }
    const auto got = s.counts();
    REQUIRE(std::accumulate(got.begin(), got.end(), std::size_t{0}) == admitted);
    REQUIRE(admitted + cancelled == 30);
    s.check();
  }
}

TEST_CASE("a place that a sender was woken for, but does not need, goes to the next", "[A6][A9]") {
  shops s({.capacity = 1}, std::nullopt);
  s.takes = {1s, 1s, 1s};
  s.orders.bind_one_of(*s.all[0], *s.all[1]);
  for (int i = 0; i < 2; ++i) {
    (void)s.all[0]->post(order{});
    (void)s.all[1]->post(order{});
    s.context.run();
  }
  auto first = s.context.spawn(s.orders.send(order{0, 1}));
  s.context.run();
  auto next_here = s.context.spawn(s.all[0]->send(order{0, 2}));
  auto next_there = s.context.spawn(s.all[1]->send(order{0, 3}));
  s.context.run();
  s.pass(1s);  // both have one place, and wake the first sender
  CHECK(first.done());
  CHECK((next_here.done() || next_there.done()));
  s.pass(1s);
  CHECK(next_here.done());
  CHECK(next_there.done());
  s.pass(1min);
  s.check();
}

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

TEST_CASE("a thread that blocks at several goes on when one has space, or time is up", "[A6]") {
  asio::thread_pool pool(1);
  msgbus::testing::stepping_context stopped;  // runs nothing
  consumer never(stopped.get_executor(), {.capacity = 1});
  const msgbus::testing::probe watching;
  never.observe(watching);
  std::atomic<int> handled{0};
  consumer works(pool.get_executor(), {.capacity = 1});
  works.handler([&](const order&) { ++handled; });
  producer orders;
  orders.bind_one_of(never, works);
  for (int i = 0; i < 200; ++i) REQUIRE(orders.send_blocking(order{}).admitted == 1);
  works.close();
  CHECK(orders.send_blocking(order{}, 1ms) == receipt{.rejected = 1});
  pool.join();
  CHECK(handled == 199);
  CHECK(never.stats().rejected == 1);
}

TEST_CASE("a send that waits at several can be torn down after each step", "[A12]") {
  struct scenario {
    explicit scenario(msgbus::testing::stepping_context& context)
        : a(context.get_executor(), {.capacity = 1}), b(context.get_executor(), {.capacity = 1}) {
      for (consumer* const each : {&a, &b}) {
        each->handler([](order) -> awaitable<void> { co_await msgbus_test::hop(2); });
      }
      orders.bind_one_of(a, b);
      for (int i = 0; i < 6; ++i) sent.push_back(context.spawn(orders.send(order{0, i})));
    }
    msgbus::testing::probe watching;
    consumer a, b;
    producer orders;
    std::vector<msgbus::testing::spawned<receipt>> sent;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](msgbus::testing::stepping_context& context) {
        auto made = std::make_unique<scenario>(context);
        made->a.observe(made->watching);
        made->b.observe(made->watching);
        return made;
      },
      {.order = msgbus::testing::teardown::both});
  CHECK(report.steps > 20);
}

TEST_CASE("ways to pick have names") {
  std::ostringstream out;
  out << pick::round_robin << ' ' << pick::least_waiting << ' ' << pick::key;
  CHECK(out.str() == "round_robin least_waiting key");
}

}  // namespace pick_test
