#include <msgbus/one_of.hpp>

#include "support/catch.hpp"

#include <string>

namespace one_of_test {

namespace {

struct placed {
  int id = 1;
};
struct paid {
  int id = 2;
};
struct sent {
  int id = 3;
};
struct express : sent {};

using order_event = msgbus::one_of<placed, paid, sent>;

std::string name_of(const placed&) { return "placed"; }
std::string name_of(const paid&) { return "paid"; }
std::string name_of(const sent&) { return "sent"; }

}  // namespace

TEST_CASE("a one_of is visited as the type of its event", "[T2]") {
  const auto visit = [](order_event event) {
    return event.visit([](const auto& as) { return name_of(as); });
  };
  CHECK(visit(placed{}) == "placed");
  CHECK(visit(paid{}) == "paid");
  CHECK(visit(sent{}) == "sent");
}

TEST_CASE("a one_of refers to the event", "[T2][D9]") {
  const paid event;
  const order_event one = event;
  CHECK(one.get_if<paid>() == &event);
  const void* const visited =
      one.visit([](const auto& as) { return static_cast<const void*>(&as); });
  CHECK(visited == &event);
}

TEST_CASE("a one_of returns the event as its type and as no other", "[T2]") {
  const sent event;
  const order_event one = event;
  CHECK(one.get_if<sent>() == &event);
  CHECK(one.get_if<placed>() == nullptr);
  CHECK(one.get_if<paid>() == nullptr);
  CHECK(one.name() == msgbus::type_name<sent>());
}

TEST_CASE("visiting a one_of returns the visitor's result, references too", "[T2]") {
  int somewhere = 0;
  const placed event;
  int& returned = order_event(event).visit([&](const auto&) -> int& { return somewhere; });
  CHECK(&returned == &somewhere);
}

TEST_CASE("a one_of is constructible only from its types", "[T2]") {
  STATIC_REQUIRE(std::is_constructible_v<order_event, placed>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<order_event, int>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<order_event, express>);
}

}  // namespace one_of_test
