// A semaphore that handlers share.

#include <msgbus/async/semaphore.hpp>

#include "policy/running.hpp"

namespace semaphore_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::semaphore;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

namespace {

/// Two consumers whose handlers share permits; each run takes a second.
struct sharing : running {
  explicit sharing(std::size_t permits, std::size_t own = 0)
      : running({.concurrency = 5}), connections(std::make_shared<semaphore>(permits)) {
    attach(events, own);
    attach(others, own);
  }
  void attach(consumer& to, std::size_t own) {
    to.handler(
        [this](const placed& event) -> awaitable<void> {
          most = std::max(most, ++inside);
          const std::shared_ptr<void> end(nullptr, [this](void*) { --inside; });
          ids.push_back(event.id);
          co_await msgbus::exec::sleep(1s);
        },
        {.max_concurrent = own, .semaphore = connections});
  }
  std::shared_ptr<semaphore> connections;
  consumer others{context.get_executor(), {.concurrency = 5}};
  int inside = 0;
  int most = 0;
  std::vector<int> ids;
};

}  // namespace

TEST_CASE("handlers that share a semaphore run no more often at once than it has permits") {
  sharing t(3);
  t.post(1, 4);
  for (int id = 5; id <= 8; ++id) (void)t.others.post(placed{id});
  t.pass(10s);
  CHECK(t.most == 3);
  CHECK(t.ids.size() == 8);
  CHECK(t.connections->available() == 3);
}

TEST_CASE("permits go to those that wait, in order, whatever handler they are for") {
  sharing t(1);
  t.post(1, 2);
  t.context.run();
  (void)t.others.post(placed{3});
  t.context.run();
  t.post(4, 4);
  t.pass(10s);
  CHECK(t.ids == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("other code may hold a permit, and the handlers wait for it") {
  sharing t(1);
  REQUIRE(t.connections->try_acquire());
  t.post(1, 1);
  t.pass(10s);
  CHECK(t.ids.empty());
  t.connections->release();
  t.pass(10s);
  CHECK(t.ids.size() == 1);
}

TEST_CASE("a handler's own limit holds beside the shared one", "[P1]") {
  sharing t(3, 1);
  t.post(1, 4);
  t.pass(500ms);
  CHECK(t.most == 1);
  CHECK(t.connections->available() == 2);  // who waits for the own limit holds no shared permit
  t.pass(10s);
  CHECK(t.ids.size() == 4);
}

TEST_CASE("a cancelled wait for a permit has taken nothing, and others move up", "[A9][P3]") {
  sharing t(1);
  REQUIRE(t.connections->try_acquire());
  auto first = t.context.spawn(t.events.consume(placed{1}));
  auto second = t.context.spawn(t.others.consume(placed{2}));
  t.context.run();
  first.cancel();
  t.context.run();
  CHECK(first.done());
  t.connections->release();
  t.pass(10s);
  CHECK(second.done());
  CHECK(t.ids == std::vector<int>{2});
  CHECK(t.connections->available() == 1);
}

TEST_CASE("a permit that was handed to a cancelled wait goes to the next one", "[A9]") {
  sharing t(1);
  REQUIRE(t.connections->try_acquire());
  auto first = t.context.spawn(t.events.consume(placed{1}));
  auto second = t.context.spawn(t.others.consume(placed{2}));
  t.context.run();
  t.connections->release();
  first.cancel();
  t.pass(10s);
  CHECK(second.done());
  CHECK(t.connections->available() == 1);
}

TEST_CASE("waiting for a shared permit is part of the attempt's time") {
  sharing t(1);
  REQUIRE(t.connections->try_acquire());
  consumer hasty(t.context.get_executor());
  hasty.handler([](const placed&) {}, {.semaphore = t.connections, .timeout = 2s});
  CHECK(msgbus_test::code_of([&] { (void)t.clock.run(t.context, hasty.consume(placed{})); }) ==
        msgbus::errc::timed_out);
  CHECK(t.since_start() == 2s);
}

TEST_CASE("a plain handler takes and releases a permit, also when it fails") {
  running t;
  const auto permits = std::make_shared<semaphore>(1);
  std::size_t seen = 9;
  t.events.handler(
      [&](const placed& event) {
        seen = permits->available();
        if (event.id == 1) throw std::runtime_error("down");
      },
      {.semaphore = permits});
  CHECK_THROWS(t.consume(1));
  CHECK(seen == 0);
  CHECK(permits->available() == 1);
  CHECK(t.consume(2) == 1);
  CHECK(permits->available() == 1);
}

TEST_CASE("a destroyed consumer gives its permits back", "[A12]") {
  sharing t(1);
  auto gone = std::make_unique<consumer>(t.context.get_executor());
  t.attach(*gone, 0);
  (void)gone->post(placed{1});
  t.context.run();
  CHECK(t.connections->available() == 0);
  gone.reset();
  t.context.run();
  CHECK(t.connections->available() == 1);
}

}  // namespace semaphore_test
