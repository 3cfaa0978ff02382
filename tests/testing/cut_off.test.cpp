#include <msgbus/testing/cut_off.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>

#include "support/catch.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <sstream>
#include <string>

namespace cut_off_test {

using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::manual_clock;
using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;
using msgbus::testing::teardown;
using msgbus_test::contains;

namespace {

// Posts `from` functions, one after the other. Not movable. Records its destruction.
class countdown {
 public:
  countdown(stepping_context& context, int from, std::string& log) : context_(context), log_(log) {
    next(from);
  }
  countdown(const countdown&) = delete;
  ~countdown() { log_ += '.'; }

 private:
  void next(int left) {
    if (left == 0) return;
    asio::post(context_.get_executor(), [this, left] {
      log_ += static_cast<char>('0' + left);
      next(left - 1);
    });
  }

  stepping_context& context_;
  std::string& log_;
};

}  // namespace

TEST_CASE("a scenario is run with one more step each time, until it ends") {
  std::string log;
  const auto report =
      cut_off_at_every_step([&](stepping_context& context) { return countdown(context, 3, log); },
                            {.order = teardown::components_first});
  CHECK(report.steps == 3);
  CHECK(report.cuts == 3);
  CHECK(log == ".3.32.321.321.");
}

TEST_CASE("each cut is made in all three ways by default") {
  std::string log;
  // given: a scenario and a step, whose destructors write 's' and 'c'
  const auto report = cut_off_at_every_step([&](stepping_context& context) {
    struct ends {
      explicit ends(std::string& to) : log(to) {}
      ~ends() { log += 's'; }
      std::string& log;
    };
    asio::post(context.get_executor(),
               [last = std::shared_ptr<void>(nullptr, [&log](void*) { log += 'c'; })] {});
    return ends(log);
  });
  // then: the three cuts destroy them in different orders
  CHECK(report.steps == 1);
  CHECK(report.cuts == 3);
  CHECK(log ==
        "csscsc"
        "cscscs"
        "cscscs");
}

TEST_CASE("a scenario may have coroutines only, without components") {
  int cut = 0;
  const auto report = cut_off_at_every_step([&](stepping_context& context) {
    auto work = [](int& ended) -> asio::awaitable<void> {
      const std::shared_ptr<void> last(nullptr, [&ended](void*) { ++ended; });
      for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
    };
    (void)context.spawn(work(cut));
  });
  CHECK(report.steps >= 3);
  CHECK(report.cuts == 3 * report.steps);
  CHECK(cut >= 3 * 3);
}

TEST_CASE("a scenario may continue with its own function when no step is left") {
  // given: a scenario whose coroutine and timer wait for a clock
  struct scenario {
    explicit scenario(stepping_context& context)
        : clock(context), timer(context.get_executor()), running(context.spawn(work(*this))) {}
    static asio::awaitable<void> work(scenario& self) {
      self.timer.start(std::chrono::hours(2), [&self] { ++self.calls; });
      co_await msgbus::exec::sleep(std::chrono::hours(1));
      co_await msgbus::exec::sleep(std::chrono::hours(3));
      ++self.calls;
    }
    bool when_idle() { return clock.advance_to_next(); }

    manual_clock clock;
    msgbus::exec::timer timer;
    int calls = 0;
    msgbus::testing::spawned<void> running;
  };
  // The coroutine refers to the scenario, so it cannot continue without it.
  const auto build = [](stepping_context& context) { return scenario(context); };
  const auto report = cut_off_at_every_step(build, {.order = teardown::both});
  // then: when_idle advances the clock, and the scenario ends
  CHECK(report.steps >= 6);
  CHECK(cut_off_at_every_step(build, {.order = teardown::both, .shuffle = shuffled{3}}).steps ==
        report.steps);

  SECTION("with the object behind a pointer") {
    const auto behind = [](stepping_context& context) {
      return std::make_unique<scenario>(context);
    };
    CHECK(cut_off_at_every_step(behind, {.order = teardown::both}).steps == report.steps);
  }
}

TEST_CASE("the suite finds a suspended handler that uses members of a destroyed object") {
  // The handler reads a shared flag, so the test accesses no destroyed object.
  struct fragile {
    fragile(stepping_context& context, bool& found) : events(context.get_executor()) {
      events.handler([gone = gone, &found](const int&) -> asio::awaitable<void> {
        co_await asio::post(asio::use_awaitable);
        if (*gone) found = true;
      });
      (void)events.post(1);
    }
    ~fragile() { *gone = true; }

    std::shared_ptr<bool> gone = std::make_shared<bool>(false);
    msgbus::async::consumer events;
  };
  // when: the components are destroyed while the handler is suspended
  const auto finds = [](teardown order) {
    bool found = false;
    const auto report = cut_off_at_every_step(
        [&](stepping_context& context) { return fragile(context, found); }, {.order = order});
    CHECK(report.steps >= 2);
    return found;
  };
  // then: the cuts that run on find it
  CHECK(finds(teardown::components_first_then_run));
  CHECK(finds(msgbus::testing::cut_off_options{}.order));
  CHECK_FALSE(finds(teardown::both));
}

TEST_CASE("endless work after the end of the components is an error") {
  auto endless = [](stepping_context& context) {
    auto work = []() -> asio::awaitable<void> {
      for (;;) co_await asio::post(asio::use_awaitable);
    };
    (void)context.spawn(work());
  };
  CHECK_THROWS_WITH(cut_off_at_every_step(endless, {.limit = 20}), contains("after 20 more steps"));
}

TEST_CASE("coroutines on strands with timers are torn down safely", "[A12]") {
  const auto report = cut_off_at_every_step([](stepping_context& context) {
    struct components {
      explicit components(asio::any_io_executor executor) : timer(executor), late(executor) {}
      msgbus::exec::timer timer;
      msgbus::exec::timer late;
    };
    auto all = std::make_unique<components>(asio::make_strand(context.get_executor()));
    auto work = []() -> asio::awaitable<std::string> {
      co_await msgbus::exec::sleep(std::chrono::seconds(0));
      co_await asio::post(asio::use_awaitable);
      co_return "long enough to need memory of its own";
    };
    all->timer.start(std::chrono::seconds(0), [late = &all->late] {
      late->start(std::chrono::seconds(0), [] {});
      late->start(std::chrono::hours(1), [] {});
    });
    (void)context.spawn(work());
    return all;
  });
  CHECK(report.cuts > 6);
}

TEST_CASE("a scenario that does not end, or differs between runs, is an error") {
  auto endless = [](stepping_context& context) {
    auto work = []() -> asio::awaitable<void> {
      for (;;) co_await asio::post(asio::use_awaitable);
    };
    (void)context.spawn(work());
  };
  CHECK_THROWS_WITH(cut_off_at_every_step(endless, {.order = teardown::both, .limit = 20}),
                    contains("after 20 steps"));

  int runs = 0;
  std::string log;
  auto moody = [&](stepping_context& context) { return countdown(context, ++runs % 2, log); };
  CHECK_THROWS_WITH(cut_off_at_every_step(moody, {.order = teardown::both}),
                    contains("fewer in another"));
}

TEST_CASE("an exception of a scenario's step is thrown") {
  auto failing = [](stepping_context& context) {
    asio::post(context.get_executor(), [] { throw std::runtime_error("no luck"); });
  };
  CHECK_THROWS_WITH(cut_off_at_every_step(failing), "no luck");
}

TEST_CASE("a report of cuts is printed with its members") {
  std::ostringstream out;
  out << msgbus::testing::cut_off_report{.steps = 4, .cuts = 12} << ' '
      << msgbus::testing::teardown::both;
  CHECK(out.str() == "cut_off_report{.steps = 4, .cuts = 12} both");
}

}  // namespace cut_off_test
