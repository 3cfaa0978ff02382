#include <msgbus/detail/exec/deadline_timer.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace deadline_timer_test {

using msgbus::exec::deadline_timer;
using msgbus::exec::deadline_timers;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

namespace {

/// Notes the time at which it was told that its time is over.
struct noting final : deadline_timer::entry, deadline_timer::late_work {
  explicit noting(const manual_clock& by) noexcept : clock(by) {}
  noting(const noting&) = delete;
  noting& operator=(const noting&) = delete;
  ~noting() { (void)end(); }

  const manual_clock& clock;
  std::optional<manual_clock::time_point> expired_at;
  std::optional<manual_clock::time_point> told_at;
  std::shared_ptr<noting> itself;  // is told without the lock, too

 private:
  std::shared_ptr<deadline_timer::late_work> expired() noexcept override {
    expired_at = clock.now();
    return itself;
  }
  void time_is_over() noexcept override {
    told_at = clock.now();
    CHECK_FALSE(end().in_time);
    itself.reset();
  }
};

struct fixture {
  stepping_context context;
  manual_clock clock{context};
  std::optional<deadline_timers> timers{std::in_place};
  deadline_timer& timer = timers->of_owner(context.get_executor());

  [[nodiscard]] bool begin(noting& added, manual_clock::duration after) {
    return added.begin(timer, clock.now() + after);
  }
};

}  // namespace

TEST_CASE("work that ends before anybody looks costs no timer") {
  fixture t;
  for (int i = 0; i < 10; ++i) {
    noting one(t.clock);
    CHECK(t.begin(one, 1s));
    CHECK(t.clock.waiting() == 0);
    const auto ended = one.end();
    CHECK(ended.in_time);
    CHECK_FALSE(ended.needs_look);
  }
  t.timer.look();
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a timer that was looked at expires for late work, and then runs for the next") {
  fixture t;
  noting first(t.clock);
  noting second(t.clock);
  noting third(t.clock);
  const auto begun = t.clock.now();
  CHECK(t.begin(second, 2s));
  t.timer.look();
  CHECK(t.begin(first, 1s));
  CHECK_FALSE(t.begin(third, 3s));
  t.timer.look();
  CHECK(t.clock.waiting() == 1);
  t.clock.run_for(t.context, 2500ms);
  CHECK(first.expired_at == begun + 1s);
  CHECK(second.expired_at == begun + 2s);
  CHECK_FALSE(third.expired_at);
  CHECK_FALSE(first.end().in_time);
  const auto ended = third.end();
  CHECK(ended.in_time);
  // Whoever is the last one looks, and the context has nothing left to wait for.
  CHECK(ended.needs_look);
  t.timer.look();
  t.context.run();
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("late work may be notified without the lock of its timer") {
  fixture t;
  const auto one = std::make_shared<noting>(t.clock);
  one->itself = one;
  CHECK(t.begin(*one, 1s));
  t.timer.look();
  t.clock.run_for(t.context, 1s);
  CHECK(one->told_at == one->expired_at);
  CHECK(one->told_at);
}

TEST_CASE("a time that was over at the begin is over when the timer runs") {
  fixture t;
  noting one(t.clock);
  CHECK(t.begin(one, -1s));
  t.timer.look();
  CHECK_FALSE(one.expired_at);
  t.context.run();
  CHECK(one.expired_at == t.clock.now());
}

TEST_CASE("an executor has one timer, and another one for another clock") {
  fixture t;
  stepping_context other;
  CHECK(&t.timers->of_owner(t.context.get_executor()) == &t.timer);
  const auto there = t.timers->of(other.get_executor());
  CHECK(t.timers->of(other.get_executor()) == there);
  CHECK(there.get() != &t.timer);
  const manual_clock installed_later{t.context};
  CHECK(&t.timers->of_owner(t.context.get_executor()) != &t.timer);
}

TEST_CASE("a timer outlives its context, and notifies no work any more", "[A12]") {
  std::optional<stepping_context> context(std::in_place);
  std::optional<manual_clock> clock(std::in_place, *context);
  deadline_timers timers;
  deadline_timer& timer = timers.of_owner(context->get_executor());
  noting one(*clock);
  CHECK(one.begin(timer, clock->now() + 1s));
  timer.look();
  context.reset();
  timer.look();
  CHECK(one.end().in_time);
}

}  // namespace deadline_timer_test
