#include <msgbus/async/host.hpp>

#include "support/host_fixture.hpp"

namespace host_test {

TEST_CASE("a stopped host drains its components in the order of the flow, and reports on each",
          "[A10]") {
  flow t;
  auto running = t.run();
  (void)t.first->post(placed{1});
  (void)t.first->post(placed{2});
  t.context.run();
  CHECK_FALSE(running.done());
  t.all.stop();
  t.context.run();
  CHECK_FALSE(running.done());
  CHECK(t.first->post(placed{3}).rejected == 1);
  CHECK(t.second->post(stored{9}).admitted == 1);  // its turn has not come
  t.open.open();
  t.context.run();
  REQUIRE(running.done());
  const host_report report = running.get();
  CHECK(t.got == std::vector{9, 1, 2});
  REQUIRE(report.components.size() == 2);
  CHECK(report.components[0].name == "first");
  CHECK(report.components[0].kind == "consumer");
  CHECK(report.components[0].report == drain_report{.handled = 2});
  CHECK(report.components[1].name == "second");
  CHECK(report.complete());
  CHECK_FALSE(report.at_once);
  CHECK(t.second->post(stored{4}).rejected == 1);
}

TEST_CASE("the deadline is one for all, and the time that one component leaves is the next one's",
          "[A10]") {
  stepping_context context;
  manual_clock clock(context);
  gate never;
  consumer quick(context), slow(context);
  slow.handler([&](const placed&) -> awaitable<void> { co_await never.wait(); });
  (void)slow.post(placed{1});
  context.run();
  const auto begun = clock.now();
  const host_report report = clock.run(context, drain_all(10s, quick, slow));
  CHECK(clock.now() - begun < 10s);  // the handler ends when it is cancelled, in the grace
  CHECK(clock.now() - begun >= 9s);
  CHECK(report.took == clock.now() - begun);
  CHECK(report.components[1].report == drain_report{.abandoned = 1});
  CHECK_FALSE(report.complete());
}

TEST_CASE("a component that uses up the deadline leaves nothing to the next one, which is closed",
          "[A10]") {
  stepping_context context;
  manual_clock clock(context);
  gate never;
  consumer stuck(context), last(context);
  stuck.handler([&](const placed&) -> awaitable<void> {
    auto wait = never.wait();
    co_await msgbus::async::shielded(std::move(wait));
  });
  last.handler([&](const placed&) -> awaitable<void> { co_await never.wait(); });
  (void)stuck.post(placed{1});
  (void)last.post(placed{1});
  context.run();
  const auto begun = clock.now();
  const host_report report = clock.run(context, drain_all(10s, stuck, last));
  CHECK(clock.now() - begun == 10s);
  CHECK(report.components[0].report == drain_report{.abandoned = 1});
  CHECK(report.components[1].report == drain_report{.abandoned = 1});
  CHECK(last.post(placed{2}).rejected == 1);
  never.open();
  context.run();
}

TEST_CASE("stop_now ends a draining host immediately, and reports the handled messages", "[A10]") {
  flow t;
  auto running = t.run(1h);
  gate second_open;
  t.first->handler([&](const placed& event) -> awaitable<void> {
    if (event.order == 2) co_await second_open.wait();
  });
  t.open.open();
  t.context.run();
  for (int i = 1; i <= 3; ++i) (void)t.first->post(placed{i});
  t.all.stop();
  t.context.run();
  CHECK_FALSE(running.done());
  t.all.stop_now();
  t.context.run();
  REQUIRE(running.done());
  const host_report report = running.get();
  CHECK(report.at_once);
  CHECK(report.components[0].report == drain_report{.handled = 1, .abandoned = 2});
  CHECK(report.took == 0s);
  CHECK(is_conserved(t.first->stats()));
  CHECK(is_conserved(t.second->stats()));
}

TEST_CASE("a host that was stopped before it runs ends as soon as it runs") {
  flow t;
  t.all.stop();
  t.all.stop();
  auto running = t.run();
  t.context.run();
  REQUIRE(running.done());
  CHECK(running.get().complete());
}

TEST_CASE("an object with close and drain ends its intake first, and is drained in its turn") {
  stepping_context context;
  manual_clock clock(context);
  std::vector<std::string> log;
  consumer events(context);
  events.handler([&](const placed&) { log.push_back("handled"); });
  listener connections(log);
  host all(context);
  all.add("events", events);
  all.add("connections", connections);
  (void)events.post(placed{1});
  all.stop();
  const host_report report = context.run(all.run({.deadline = 5s}));
  CHECK(log == std::vector<std::string>{"handled", "listener closed", "listener drained within 5"});
  CHECK(report.components[1].kind == "part");
  CHECK(report.components[1].report == drain_report{.handled = 7});
}

TEST_CASE("the exception of an object's drain is in the report, and the others are drained") {
  struct broken {
    void close() { throw std::runtime_error("cannot close"); }
    awaitable<drain_report> drain(std::chrono::steady_clock::duration) {
      co_return drain_report{.handled = 1};
    }
  };
  flow t;
  broken part;
  t.all.add("part", part);
  t.all.stop();
  auto running = t.run();
  t.context.run();
  const host_report report = running.get();
  REQUIRE(report.components.size() == 3);
  REQUIRE(report.components[2].failure);
  CHECK(msgbus::describe(report.components[2].failure) == "cannot close");
  CHECK(report.components[2].report.handled == 1);
  CHECK_FALSE(report.complete());
}

TEST_CASE("components may be destroyed before the host, and while it drains them", "[D8]") {
  SECTION("before") {
    flow t;
    t.first.reset();
    t.all.stop();
    auto running = t.run();
    t.context.run();
    const host_report report = running.get();
    CHECK(report.components[0].destroyed);
    CHECK_FALSE(report.components[1].destroyed);
    CHECK(t.all.stats().size() == 1);
  }
  SECTION("during its drain") {
    flow t;
    t.first->observe(std::make_shared<msgbus::observer>());
    (void)t.first->post(placed{1});
    (void)t.first->post(placed{2});
    t.all.stop();
    auto running = t.run();
    t.context.run();
    CHECK_FALSE(running.done());
    t.first.reset();
    t.context.run();
    REQUIRE(running.done());
    const host_report report = running.get();
    CHECK(report.components[0].report == drain_report{.abandoned = 2});
    CHECK(report.components[0].destroyed);
  }
}

TEST_CASE("errors and observers call a component by its name in the host") {
  struct names : msgbus::observer {
    std::vector<std::string> all;
    std::vector<std::string> texts;
    void failed(const msgbus::step& step, const std::exception_ptr& why) override {
      all.emplace_back(step.component);
      texts.push_back(msgbus::describe(why));
    }
    void unrouted(const msgbus::step& step) override { all.emplace_back(step.component); }
    void rejected(const msgbus::step& step) override { all.emplace_back(step.component); }
  };
  stepping_context context;
  consumer audit(context, {.capacity = 1});
  msgbus::async::service books(context);
  host all(context);
  all.add("audit", audit);
  all.add("books", books);
  audit.handler([&](const placed& event) -> awaitable<void> {
    stored more{event.order};
    (void)co_await audit.send(more);
    stored full{event.order};
    (void)co_await audit.send(full);
  });
  auto seen = std::make_shared<names>();
  all.observe(seen);
  (void)audit.post(placed{1});
  context.run();
  REQUIRE(seen->texts.size() == 1);
  CHECK(seen->texts[0].starts_with("the mailbox of the consumer \"audit\" is full (capacity 1)"));
  CHECK(text_of([&] {
          context.run(books.execute("update"));
        }).find("the service \"books\" has no operation 'update'") == 0);
  context.run();
  audit.close();
  CHECK(text_of([&] {
          context.run(audit.consume(placed{1}));
        }).find("the consumer \"audit\" is closed") == 0);
  CHECK(seen->all == std::vector<std::string>{"audit", "audit", "books", "audit"});
  const auto stats = all.stats();
  REQUIRE(stats.size() == 2);
  CHECK(stats[0].name == "audit");
  CHECK(stats[0].capacity == 1);
  CHECK(stats[1].kind == "service");
}

}  // namespace host_test
