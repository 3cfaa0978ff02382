// Schedules with everything that may happen, at any moment.

#include "async/scheduling.hpp"

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/cut_off.hpp>

#include <random>

namespace schedules_any_moment_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::missed;
using msgbus::overflow;
using msgbus::scheduled;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::testing::manual_clock;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::is_conserved;
using numbered = msgbus_test::numbered_event;
using namespace std::chrono_literals;

TEST_CASE("every scheduled message has one outcome, whatever happens when", "[P2][P6][A7]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int below) {
      return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    stepping_context context(shuffled{seed});
    manual_clock clock(context);
    auto events = std::make_unique<consumer>(
        context.get_executor(),
        msgbus::mailbox_options{.capacity = static_cast<std::size_t>(1 + pick(3)),
                                .on_full = static_cast<overflow>(pick(4)),
                                .concurrency = static_cast<std::size_t>(1 + pick(2))});
    events->observe(std::make_shared<msgbus::observer>());
    std::vector<manual_clock::time_point> due(1000);
    std::vector<int> state(1000);  // 1: sent later, 2: cancelled in time, 3: handled
    events->handler([&](const numbered& each) -> awaitable<void> {
      if (each.n >= 0) {
        const auto n = static_cast<std::size_t>(each.n);
        CHECK(state[n] == 1);
        CHECK(clock.now() >= due[n]);
        state[n] = 3;
      }
      if (pick(2) == 0) co_await msgbus::exec::sleep(1ms * pick(20));
    });
    std::vector<scheduled> handles;
    std::uint64_t cancelled = 0;
    std::optional<spawned<drain_report>> drained;
    for (int step = 0; step < 60; ++step) {
      switch (pick(8)) {
        case 0:
        case 1:
        case 2: {
          const std::size_t n = handles.size();
          due[n] = clock.now() + 1ms * pick(30);
          state[n] = 1;
          handles.push_back(events->send_at(due[n], numbered{static_cast<int>(n)}));
          break;
        }
        case 3: {
          if (handles.empty()) break;
          const auto n = static_cast<std::size_t>(pick(static_cast<int>(handles.size())));
          if (!handles[n].cancel()) break;
          CHECK(state[n] == 1);
          state[n] = 2;
          ++cancelled;
          break;
        }
        case 4:
          (void)events->every(1ms * (1 + pick(20)), [] { return numbered{-1}; },
                              {.missed = static_cast<missed>(pick(2))});
          break;
        case 5: (void)events->post(numbered{-2}); break;
        case 6: clock.advance(1ms * pick(40)); break;
        default:
          for (int i = pick(30); i > 0; --i) (void)context.step();
      }
    }
    const int end = pick(5);
    if (end == 0) {
      events->close();
    } else if (end == 4) {
      drained.emplace(context.spawn(events->drain({.wait_for_scheduled = pick(2) == 1})));
    } else if (end < 3) {
      drained.emplace(
          context.spawn(events->drain(1ms * pick(100), {.wait_for_scheduled = end == 2})));
    }
    if (end == 3) {
      events.reset();
      clock.run_for(context, 1s);
      continue;
    }
    clock.run_for(context, 1s);
    if (drained) CHECK(drained->done());
    const auto stats = events->stats();
    CHECK(is_conserved(stats));
    CHECK(events->due_later() == 0);
    CHECK(stats.scheduled >= cancelled);
    for (const scheduled& each : handles) CHECK(each.done());
    CHECK(clock.waiting() == 0);
  }
}

namespace {

struct many_schedules {
  explicit many_schedules(stepping_context& in)
      : clock(in),
        events(in.get_executor(), {.capacity = 1}),
        other(in.get_executor(), {.capacity = 1}) {
    for (auto* each : {&events, &other}) {
      each->observe(std::make_shared<msgbus::observer>());
      each->handler(
          [](const std::shared_ptr<int>&) -> awaitable<void> { co_await msgbus_test::hop(); });
    }
    source.bind(events, other);
    const auto made = std::make_shared<int>(1);
    there = made;
    for (int i = 0; i < 4; ++i) {
      (void)events.send_after(1s, made);
      (void)source.send_after(1s, made);
    }
    kept.push_back(events.every(1s, [made] { return made; }, {.missed = missed::catch_up}));
    kept.push_back(source.every(1s, [made] { return made; }));
    drained.emplace(in.spawn(events.drain(3s, {.wait_for_scheduled = true})));
  }
  bool when_idle() { return ++idle < 5 && clock.advance_to_next(); }

  int idle = 0;
  manual_clock clock;
  consumer events, other;
  producer source;
  std::weak_ptr<int> there;
  std::vector<scheduled> kept;
  std::optional<spawned<drain_report>> drained;
};

}  // namespace

TEST_CASE("schedules are torn down at any step, and leave nothing", "[A12]") {
  for (const auto& shuffle : {std::optional<shuffled>(), std::optional(shuffled{1})}) {
    std::weak_ptr<int> there;
    const auto report = msgbus::testing::cut_off_at_every_step(
        [&](stepping_context& context) {
          CHECK(there.expired());
          auto made = std::make_unique<many_schedules>(context);
          there = made->there;
          return made;
        },
        {.shuffle = shuffle});
    CHECK(report.steps > 20);
    CHECK(there.expired());
  }
}

}  // namespace schedules_any_moment_test
