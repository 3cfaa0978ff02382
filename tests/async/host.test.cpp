#include <msgbus/async/host.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/shielded.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/error.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace host_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::errc;
using msgbus::async::component_report;
using msgbus::async::consumer;
using msgbus::async::drain_all;
using msgbus::async::host;
using msgbus::async::host_report;
using msgbus::async::run_options;
using msgbus::testing::manual_clock;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

struct placed {
  int order = 0;
};
struct stored {
  int order = 0;
};

/// Orders flow from `first` to `second`.
struct flow {
  stepping_context context;
  manual_clock clock{context};
  gate open;
  std::vector<int> got;
  std::optional<consumer> second{context};
  std::optional<consumer> first{context};
  host all{context};

  flow() {
    first->handler([this](const placed& event) -> awaitable<void> {
      co_await open.wait();
      stored next{event.order};
      (void)co_await second->send(next);
    });
    second->handler([this](const stored& event) { got.push_back(event.order); });
    all.add("first", *first);
    all.add("second", *second);
  }

  spawned<host_report> run(std::chrono::steady_clock::duration deadline = 10s) {
    run_options options;
    options.deadline = deadline;
    return context.spawn(all.run(options));
  }
};

class listener {
 public:
  explicit listener(std::vector<std::string>& log) : log_(log) {}
  void close() { log_.push_back("listener closed"); }
  awaitable<drain_report> drain(std::chrono::steady_clock::duration left) {
    log_.push_back("listener drained within " +
                   std::to_string(std::chrono::duration_cast<std::chrono::seconds>(left).count()));
    drain_report report;
    report.handled = 7;
    co_return report;
  }

 private:
  std::vector<std::string>& log_;
};

}  // namespace

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

TEST_CASE("the deadline is one for all, and what one component has left is the next one's",
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

TEST_CASE("stop_now ends a host that is draining at once, and reports what was handled before",
          "[A10]") {
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

TEST_CASE("what the drain of an object throws is in the report, and the others are drained") {
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

TEST_CASE("a host refuses a second member of one name, no name, and members while it ends") {
  flow t;
  consumer other(t.context);
  CHECK(code_of([&] { t.all.add("first", other); }) == errc::bad_arguments);
  CHECK(text_of([&] { t.all.add("first", other); }) ==
        "the host has a consumer named \"first\" already: each member needs its own name");
  CHECK(code_of([&] { t.all.add("", other); }) == errc::bad_arguments);
  t.all.stop();
  auto running = t.run();
  t.context.run();
  CHECK(code_of([&] { t.all.add("late", other); }) == errc::closed);
  CHECK(code_of([&] { t.context.run(t.all.run()); }) == errc::bad_arguments);
}

TEST_CASE("a host owns what it makes, and destroys it in the order of the flow") {
  struct noted : consumer {
    noted(asio::any_io_executor executor, std::vector<int>& log, int number)
        : consumer(std::move(executor)), log_(log), number_(number) {}
    ~noted() { log_.push_back(number_); }
    std::vector<int>& log_;
    int number_;
  };
  stepping_context context;
  std::vector<int> gone;
  {
    host all(context);
    auto& first = all.emplace<noted>("first", gone, 1);
    all.emplace<noted>("second", context.get_executor(), gone, 2);
    all.emplace<consumer>("third");
    all.emplace<consumer>("fourth", msgbus::mailbox_options{.capacity = 3});
    CHECK(all.stats()[3].capacity == 3);
    CHECK(first.post(placed{1}).admitted == 1);
    context.run();
    CHECK(all.stats()[0].counts.unrouted == 1);
  }
  CHECK(gone == std::vector{1, 2});
}

TEST_CASE("a cancelled run leaves the components that it has not reached open", "[A9]") {
  flow t;
  (void)t.first->post(placed{1});
  t.all.stop();
  auto running = t.run();
  t.context.run();
  running.cancel();
  t.context.run();
  REQUIRE(running.done());
  CHECK(is_aborted(running.failure()));
  CHECK(t.first->post(placed{2}).rejected == 1);
  CHECK(t.second->post(stored{2}).admitted == 1);
  t.open.open();
  t.context.run();
}

TEST_CASE("a run that is cancelled while it waits has closed nothing", "[A9]") {
  flow t;
  auto running = t.run();
  t.context.run();
  running.cancel();
  t.context.run();
  REQUIRE(running.done());
  CHECK(is_aborted(running.failure()));
  CHECK(t.first->post(placed{2}).admitted == 1);
  t.open.open();
  t.context.run();
}

TEST_CASE("a signal stops the host, and a second one ends it at once") {
  asio::io_context io;
  consumer events(io);
  gate never;
  events.handler([&](const placed&) -> awaitable<void> { co_await never.wait(); });
  (void)events.post(placed{1});
  host all(io);
  all.add("events", events);
  std::optional<host_report> report;
  const auto work = [&]() -> awaitable<void> {
    report = co_await all.run({.signals = {SIGUSR1, SIGUSR2}, .deadline = 1h});
  };
  asio::co_spawn(io, work(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run_until(std::chrono::steady_clock::now());  // the signals are watched
  io.poll();
  std::raise(SIGUSR1);
  while (events.post(placed{2}).rejected == 0) io.run_one();  // it drains
  CHECK_FALSE(report);
  std::raise(SIGUSR2);
  io.run();
  REQUIRE(report);
  CHECK(report->at_once);
  CHECK(report->components[0].report.abandoned >= 1);
}

TEST_CASE("a number that is no signal, and a destroyed context, are refused") {
  stepping_context context;
  host all(context);
  CHECK_THROWS_AS(context.run(all.run({.signals = {12345}})), std::system_error);
  all.stop();
  CHECK(context.run(all.run()).complete());  // it had not begun
  std::optional<asio::io_context> gone(std::in_place);
  host later(*gone);
  gone.reset();
  CHECK(code_of([&] { (void)later.get_executor(); }) == errc::closed);
  CHECK(code_of([&] { context.run(later.run({.signals = {SIGUSR1}})); }) == errc::closed);
}

TEST_CASE("drain_all drains in order, and returns a report for each", "[A10]") {
  flow t;
  (void)t.first->post(placed{1});
  auto draining = t.context.spawn(drain_all(1s, *t.first, *t.second));
  t.context.run();
  CHECK_FALSE(draining.done());
  t.open.open();
  t.context.run();
  const host_report report = draining.get();
  CHECK(t.got == std::vector{1});
  REQUIRE(report.components.size() == 2);
  CHECK(report.components[0].name == "first");
  CHECK(report.total() == drain_report{.handled = 1});
}

}  // namespace host_test
