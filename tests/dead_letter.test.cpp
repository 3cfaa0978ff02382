#include <msgbus/dead_letter.hpp>

#include "support/catch.hpp"

#include <type_traits>

namespace dead_letter_test {

TEST_CASE("both families have the same letters, options and counters", "[P8]") {
  CHECK(std::is_same_v<msgbus::async::dead_letter, msgbus::sync::dead_letter>);
  CHECK(std::is_same_v<msgbus::async::dead_letter_options, msgbus::sync::dead_letter_options>);
  CHECK(std::is_same_v<msgbus::async::dead_letter_counters, msgbus::sync::dead_letter_counters>);
  CHECK(msgbus::dead_letter_options().on_full == msgbus::overflow::drop_oldest);
}

TEST_CASE("a dead letter is printed with the message, the handler and the reason") {
  msgbus::dead_letter one;
  one.id = 3;
  one.message = "shop.order";
  one.handler = "charge_card";
  one.reason = "no money";
  one.attempts = 5;
  CHECK(Catch::Detail::stringify(one) ==
        R"(dead_letter{.id = 3, .message = "shop.order", .handler = "charge_card", )"
        R"(.reason = "no money", .attempts = 5, .topic = "", .message_id = ""})");
}

}  // namespace dead_letter_test
