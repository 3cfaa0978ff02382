#include <msgbus/detail/policy/duplicates.hpp>

#include "support/catch.hpp"

#include <map>
#include <random>

namespace duplicates_test {

using msgbus::detail::duplicates;
using seen = duplicates::seen;
using namespace std::chrono_literals;

namespace {
constexpr duplicates::time_point start{1000h};
}  // namespace

TEST_CASE("a key is in flight, then handled, and then forgotten") {
  duplicates known(10s, 100);
  CHECK(known.begin("a", start) == seen::never);
  CHECK(known.is_in_flight("a"));
  CHECK(known.begin("a", start) == seen::in_flight);
  known.handled("a", start);
  CHECK(known.begin("a", start + 10s - 1ns) == seen::handled);
  CHECK(known.begin("a", start + 10s) == seen::never);
}

TEST_CASE("a key whose message has failed is forgotten") {
  duplicates known(10s, 100);
  CHECK(known.begin("a", start) == seen::never);
  known.forget("a");
  CHECK(known.begin("a", start) == seen::never);
}

TEST_CASE("beyond the capacity the oldest key goes, and none that is in flight") {
  duplicates known(10s, 2);
  for (const char* each : {"a", "b", "c", "d"}) CHECK(known.begin(each, start) == seen::never);
  CHECK(known.size() == 4);
  for (const char* each : {"b", "c", "a"}) known.handled(each, start);
  CHECK(known.begin("b", start) == seen::never);
  CHECK(known.begin("c", start) == seen::handled);
  CHECK(known.begin("a", start) == seen::handled);
  CHECK(known.begin("d", start) == seen::in_flight);
}

TEST_CASE("an end that has no beginning changes nothing") {
  duplicates known(10s, 2);
  known.handled("a", start);
  known.forget("a");
  CHECK(known.size() == 0);
  CHECK(known.begin("a", start) == seen::never);
}

TEST_CASE("random scripts agree with a map that never forgets too early") {
  std::mt19937 random(3);
  for (int script = 0; script < 200; ++script) {
    duplicates known(10s, 1000);
    std::map<std::string, duplicates::time_point> handled;
    std::map<std::string, bool> flying;
    auto now = start;
    for (int step = 0; step < 200; ++step) {
      const std::string key(1, static_cast<char>('a' + random() % 6));
      now += std::chrono::seconds(random() % 3);
      if (flying[key]) {
        REQUIRE(known.begin(key, now) == seen::in_flight);
        flying[key] = false;
        if (random() % 2 == 0) {
          known.forget(key);
        } else {
          known.handled(key, now);
          handled[key] = now;
        }
      } else {
        const bool is_known = handled.count(key) != 0 && now - handled[key] < 10s;
        REQUIRE(known.begin(key, now) == (is_known ? seen::handled : seen::never));
        flying[key] = !is_known;
      }
    }
  }
}

}  // namespace duplicates_test
