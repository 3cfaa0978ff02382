#include "async/host_machine.hpp"

#include "support/catch.hpp"

#include <string>

namespace host_machine_test {

using machine = msgbus::async::detail::host_machine;
using act = machine::act;
using namespace std::chrono_literals;

namespace {

constexpr machine::time_point start = machine::time_point(100s);

std::string text_of(const machine::step& step) {
  switch (step.action) {
    case act::wait: return "wait";
    case act::end_intake: return "intake " + std::to_string(step.member);
    case act::drain: return "drain " + std::to_string(step.member);
    case act::finish: return "finish";
  }
  return "?";
}

}  // namespace

TEST_CASE("a host waits until it is stopped, ends every intake, and then drains in order",
          "[A10]") {
  machine m;
  CHECK(m.accepts());
  REQUIRE(m.begin(10s));
  CHECK(text_of(m.next(start, 2)) == "wait");
  CHECK(m.accepts());
  m.stop();
  std::string all;
  for (int i = 0; i < 4; ++i) {
    all += text_of(m.next(start, 2)) + ", ";
    CHECK_FALSE(m.accepts());
    m.ended(false);
  }
  CHECK(all == "intake 0, intake 1, drain 0, drain 1, ");
  CHECK(text_of(m.next(start, 2)) == "finish");
  CHECK(text_of(m.next(start, 2)) == "finish");
}

TEST_CASE("the time that one member leaves of the deadline is the next one's", "[A10]") {
  machine m;
  REQUIRE(m.begin(10s));
  m.stop();
  CHECK(m.next(start, 1).left == 10s);
  m.ended(false);
  CHECK(m.next(start + 1s, 2).left == 9s);
  m.ended(false);
  CHECK(m.next(start + 4s, 2).left == 6s);
  CHECK(m.next(start + 40s, 2).left == 0s);
  CHECK(m.took(start + 4s) == 4s);
}

TEST_CASE("a hurry leaves no time, and the interrupted step is repeated") {
  machine m;
  REQUIRE(m.begin(10s));
  m.stop();
  (void)m.next(start, 1);
  m.ended(false);
  CHECK(text_of(m.next(start, 1)) == "drain 0");
  m.hurry();
  m.ended(true);
  const machine::step again = m.next(start, 1);
  CHECK(text_of(again) == "drain 0");
  CHECK(again.left == 0s);
  m.ended(false);
  CHECK(text_of(m.next(start, 1)) == "finish");
}

TEST_CASE("a host that was stopped before it began ends at once") {
  machine m;
  m.stop();
  CHECK(m.accepts());
  REQUIRE(m.begin(1s));
  CHECK(text_of(m.next(start, 0)) == "finish");
  CHECK_FALSE(m.accepts());
}

TEST_CASE("a host begins once, and takes no step after it was given up") {
  machine m;
  REQUIRE(m.begin(1s));
  CHECK_FALSE(m.begin(1s));
  m.stop();
  (void)m.next(start, 3);
  m.give_up();
  CHECK(text_of(m.next(start, 3)) == "finish");
  CHECK_FALSE(m.accepts());
}

TEST_CASE("a deadline that never comes and a negative one are no overflow") {
  machine never;
  REQUIRE(never.begin(machine::duration::max()));
  never.stop();
  CHECK(never.next(start, 1).left > 24h);
  machine negative;
  REQUIRE(negative.begin(-1s));
  negative.stop();
  CHECK(negative.next(start, 1).left == 0s);
}

}  // namespace host_machine_test
