#include <msgbus/counters.hpp>

#include "support/catch.hpp"

#include <array>
#include <sstream>

namespace counters_test {

TEST_CASE("counters start at zero") {
  const msgbus::counters none;
  CHECK(none.offered + none.accepted + none.rejected + none.handled + none.failed + none.dropped +
            none.abandoned + none.unrouted ==
        0);
}

TEST_CASE("a counting observer counts each kind of step separately") {
  msgbus::counting_observer counting;
  msgbus::observer& as_observer = counting;
  const msgbus::step step{"order", ""};
  as_observer.accepted(step);
  for (int i = 0; i < 2; ++i) as_observer.delivered(step);
  for (int i = 0; i < 3; ++i) as_observer.failed(step, std::make_exception_ptr(i));
  for (int i = 0; i < 4; ++i) as_observer.dropped(step);
  for (int i = 0; i < 5; ++i) as_observer.unrouted(step);
  const msgbus::counting_observer& result = counting;
  CHECK(result.accepted() == 1);
  CHECK(result.delivered() == 2);
  CHECK(result.failed() == 3);
  CHECK(result.dropped() == 4);
  CHECK(result.unrouted() == 5);
}

TEST_CASE("a counting observer starts at zero") {
  const msgbus::counting_observer counting;
  CHECK(counting.accepted() + counting.delivered() + counting.failed() + counting.dropped() +
            counting.unrouted() ==
        0);
}

TEST_CASE("counters are printed with their members") {
  std::ostringstream out;
  out << msgbus::counters{.offered = 9, .accepted = 8, .rejected = 1, .overran = 2};
  CHECK(out.str() ==
        "counters{.offered = 9, .accepted = 8, .rejected = 1, .handled = 0, .failed = 0, "
        ".dropped = 0, .abandoned = 0, .unrouted = 0, .overran = 2, .scheduled = 0}");
}

}  // namespace counters_test
