// Messages that are sent again and again (P6).

#include "async/scheduling.hpp"

namespace schedules_recurring_test {

using msgbus::missed;
using msgbus::scheduled;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_conserved;
using msgbus_test::scheduling;
using numbered = msgbus_test::numbered_event;
using times = std::vector<std::chrono::milliseconds>;
using namespace std::chrono_literals;

TEST_CASE("a recurring schedule sends at each multiple of its period, until it is cancelled",
          "[P6]") {
  scheduling t;
  t.handle();
  int made = 0;
  scheduled all = t.events->every(1s, [&] { return numbered{++made}; });
  t.pass(3s);
  CHECK(t.got == std::vector{1, 2, 3});
  CHECK(t.at == times{1s, 2s, 3s});
  CHECK_FALSE(all.done());
  CHECK(t.events->due_later() == 0);
  CHECK(all.cancel());
  CHECK(all.done());
  CHECK_FALSE(all.cancel());
  t.pass(1h);
  CHECK(made == 3);
  CHECK(t.events->stats().scheduled == 3);
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a recurring schedule is cancelled from its handler and while it makes an event",
          "[P6]") {
  scheduling t;
  scheduled by_handler, by_make;
  t.events->handler([&](const numbered& each) {
    t.note(each);
    if (each.n == 1) CHECK(by_handler.cancel());
  });
  by_handler = t.events->every(1s, [] { return numbered{1}; });
  by_make = t.events->every(1s, [&] {
    CHECK(by_make.cancel());
    return numbered{2};
  });
  t.pass(1h);
  CHECK(t.got == std::vector{1, 2});  // an event that was made is sent
}

TEST_CASE("when time jumps, late occurrences are skipped or caught up, as asked", "[P6]") {
  const missed how = GENERATE(missed::skip, missed::catch_up);
  scheduling t;
  t.handle();
  int made = 0;
  scheduled all = t.events->every(1s, [&] { return numbered{++made}; }, {.missed = how});
  t.pass(1s);
  t.clock.advance(5s + 500ms);  // five are late
  t.context.run();
  CHECK(made == (how == missed::skip ? 2 : 6));
  t.pass(500ms);
  CHECK(t.at.back() == 7s);  // it has not drifted
  CHECK(made == (how == missed::skip ? 3 : 7));
  CHECK(t.got.size() == static_cast<std::size_t>(made));
  CHECK(all.cancel());
}

TEST_CASE("equal times of recurring and of single messages keep the order of the calls", "[P6]") {
  scheduling t;
  t.handle();
  scheduled first = t.events->every(1s, [] { return numbered{1}; });
  (void)t.events->send_after(3s, numbered{2});
  scheduled third = t.events->every(3s, [] { return numbered{3}; });
  t.pass(3s);
  CHECK(t.got == std::vector{1, 1, 1, 2, 3});
  CHECK(first.cancel());
  CHECK(third.cancel());
}

TEST_CASE("an event that could not be made is a failed one, and the schedule goes on", "[P6][P2]") {
  scheduling t;
  t.handle();
  int calls = 0;
  const auto make = [&] {
    if (++calls == 2) throw std::runtime_error("no data");
    return numbered{calls};
  };
  scheduled all = t.events->every(1s, make);
  t.pass(3s);
  CHECK(t.got == std::vector{1, 3});
  CHECK(t.events->stats().failed == 1);
  CHECK(t.events->stats().scheduled == 2);
  CHECK(is_conserved(t.events->stats()));
  REQUIRE(t.watching.failures().size() == 1);
  CHECK(msgbus::describe(t.watching.failures()[0]) == "no data");
  CHECK(all.cancel());
}

TEST_CASE("without an observer, an event that could not be made is one line on stderr", "[A8]") {
  scheduling t;
  t.events->observe(nullptr);
  scheduled all = t.events->every(1s, []() -> numbered { throw std::runtime_error("no data"); });
  const std::string text = msgbus_test::stderr_of([&] { t.pass(1s); });
  CHECK_THAT(text, msgbus_test::contains("every() could not make"));
  CHECK_THAT(text, msgbus_test::contains("numbered"));
  CHECK_THAT(text, msgbus_test::contains("no data"));
  CHECK(all.cancel());
}

TEST_CASE("a period that is not above zero is an error that names it", "[P6]") {
  scheduling t;
  for (const auto period : {0s, -1s}) {
    const auto call = [&] { (void)t.events->every(period, [] { return numbered{}; }); };
    CHECK(code_of(call) == msgbus::errc::bad_arguments);
  }
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("occurrences that come while one waits for space are skipped or caught up", "[P6]") {
  const missed how = GENERATE(missed::skip, missed::catch_up);
  scheduling t({.capacity = 1});
  gate open;
  t.handle(open);
  int made = 0;
  scheduled all = t.events->every(1s, [&] { return numbered{++made}; }, {.missed = how});
  t.pass(10s + 500ms);
  CHECK(made == 3);  // one is handled, one is in the mailbox, one waits
  CHECK(t.events->due_later() == 1);
  open.open();
  t.context.run();
  CHECK(made == (how == missed::skip ? 3 : 10));
  t.pass(500ms);
  CHECK(made == (how == missed::skip ? 4 : 11));
  CHECK(all.cancel());
  CHECK(t.got.size() == static_cast<std::size_t>(made));
}

}  // namespace schedules_recurring_test
