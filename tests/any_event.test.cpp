#include <msgbus/any_event.hpp>

#include "support/catch.hpp"

namespace any_event_test {

namespace {

struct animal {
  int legs = 4;
};
struct dog : animal {};
template <class T>
struct created {
  T entity;
};

}  // namespace

TEST_CASE("an any_event returns the event as exactly its type", "[T4]") {
  const created<animal> event{};
  const msgbus::any_event any(msgbus::detail::value_ref::to(event));
  CHECK(any.get_if<created<animal>>() == &event);
  CHECK(any.get_if<created<dog>>() == nullptr);
  CHECK(any.get_if<animal>() == nullptr);
}

TEST_CASE("an any_event does not return a derived event as its base", "[T4]") {
  const dog event;
  const msgbus::any_event any(msgbus::detail::value_ref::to(event));
  CHECK(any.get_if<animal>() == nullptr);
  CHECK(any.get_if<dog>() == &event);
}

TEST_CASE("an any_event accepts a request for a const type", "[T4]") {
  const dog event;
  const msgbus::any_event any(msgbus::detail::value_ref::to(event));
  CHECK(any.get_if<const dog>() == &event);
}

TEST_CASE("an any_event names the type of its event", "[T4]") {
  const created<dog> event{};
  const msgbus::any_event any(msgbus::detail::value_ref::to(event));
  CHECK(any.name() == msgbus::type_name<created<dog>>());
  CHECK_THAT(std::string(any.name()), msgbus_test::contains("created<"));
}

TEST_CASE("an any_event is printed with the name of its type") {
  const int event = 3;
  const msgbus::any_event any(msgbus::detail::value_ref::to(event));
  CHECK(Catch::Detail::stringify(any) == R"(any_event{.name = "int"})");
}

}  // namespace any_event_test
