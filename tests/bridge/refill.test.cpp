#include "bridge/durable_link.hpp"

#include "support/catch.hpp"

namespace refill_test {

using msgbus::bridging::refill;
using action = refill::action;

TEST_CASE("free places are asked for together once they are a quarter of the window", "[B2]") {
  refill free_places(16);
  CHECK(free_places.settled(15) == action::ask_after_pause);
  CHECK(free_places.settled(14) == action::wait);
  CHECK(free_places.settled(13) == action::wait);
  CHECK(free_places.settled(12) == action::ask);
  CHECK(free_places.take() == 4);
  CHECK(free_places.take() == 0);
}

TEST_CASE("free places are asked for at once when nothing is in flight", "[B2]") {
  refill free_places(1000);
  CHECK(free_places.settled(1) == action::ask_after_pause);
  CHECK(free_places.settled(0) == action::ask);
  CHECK(free_places.take() == 2);
}

TEST_CASE("each pause before free places are asked for is started once", "[B2]") {
  refill free_places(1000);
  CHECK(free_places.settled(9) == action::ask_after_pause);
  CHECK(free_places.settled(8) == action::wait);
  free_places.paused();
  CHECK(free_places.take() == 2);
  CHECK(free_places.settled(8) == action::ask_after_pause);
}

TEST_CASE("a window of one to three messages asks after each", "[B2]") {
  for (std::size_t window = 1; window <= 3; ++window) {
    refill free_places(window);
    CHECK(free_places.settled(window - 1) == action::ask);
    CHECK(free_places.take() == 1);
  }
}

}  // namespace refill_test
