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
  const auto begun = known.begin("a", start);
  CHECK(begun.was == seen::never);
  CHECK(known.is_in_flight("a"));
  CHECK_FALSE(known.is_in_flight("b"));
  CHECK(known.begin("a", start).was == seen::in_flight);
  CHECK(known.begin("a", start).begun == nullptr);
  known.handled(*begun.begun, start);
  CHECK(known.begin("a", start + 10s - 1ns).was == seen::handled);
  CHECK(known.begin("a", start + 10s).was == seen::never);
}

TEST_CASE("a key whose message has failed is forgotten") {
  duplicates known(10s, 100);
  const auto begun = known.begin("a", start);
  CHECK(begun.was == seen::never);
  known.forget(*begun.begun);
  CHECK(known.size() == 0);
  CHECK(known.begin("a", start).was == seen::never);
}

TEST_CASE("beyond the capacity the oldest key goes, and none that is in flight") {
  duplicates known(10s, 2);
  std::map<std::string, duplicates::entry*> begun;
  for (const char* each : {"a", "b", "c", "d"}) begun[each] = known.begin(each, start).begun;
  CHECK(known.size() == 4);
  for (const char* each : {"b", "c", "a"}) known.handled(*begun[each], start);
  CHECK(known.begin("b", start).was == seen::never);
  CHECK(known.begin("c", start).was == seen::handled);
  CHECK(known.begin("a", start).was == seen::handled);
  CHECK(known.begin("d", start).was == seen::in_flight);
}

TEST_CASE("keys are compared by their bytes, wherever these are stored") {
  duplicates known(1h, 3);
  const std::string longer(1000, 'x');
  for (int round = 0; round < 3; ++round) {
    for (const std::string& each :
         {longer, std::string("a\0b", 3), std::string("a"), longer + "y", std::string("a\0c", 3)}) {
      const auto begun = known.begin(each, start);
      REQUIRE(begun.was == seen::never);
      known.handled(*begun.begun, start);
      REQUIRE(known.begin(each, start).was == seen::handled);
      REQUIRE(known.size() <= 3);
    }
  }
}

TEST_CASE("random scripts agree with a map that never forgets too early") {
  std::mt19937 random(3);
  for (int script = 0; script < 200; ++script) {
    duplicates known(10s, 1000);
    std::map<std::string, duplicates::time_point> handled;
    std::map<std::string, duplicates::entry*> flying;
    auto now = start;
    for (int step = 0; step < 200; ++step) {
      const std::string key(1, static_cast<char>('a' + random() % 6));
      now += std::chrono::seconds(random() % 3);
      if (duplicates::entry* const begun = flying[key]) {
        REQUIRE(known.begin(key, now).was == seen::in_flight);
        flying[key] = nullptr;
        if (random() % 2 == 0) {
          known.forget(*begun);
        } else {
          known.handled(*begun, now);
          handled[key] = now;
        }
      } else {
        const bool is_known = handled.count(key) != 0 && now - handled[key] < 10s;
        const auto answer = known.begin(key, now);
        REQUIRE(answer.was == (is_known ? seen::handled : seen::never));
        flying[key] = answer.begun;
      }
    }
  }
}

}  // namespace duplicates_test
