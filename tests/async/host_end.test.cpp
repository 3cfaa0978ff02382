// How a host is stopped and cancelled, and which members it refuses.

#include <msgbus/async/host.hpp>

#include "support/host_fixture.hpp"

namespace host_end_test {

using namespace host_test;

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

TEST_CASE("a host owns the components that it makes, and destroys them in the order of the flow") {
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

}  // namespace host_end_test
