#include <msgbus/detail/core/event.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <memory>
#include <string>

namespace event_test {

namespace {

struct registered {
  int id;
  std::string name;
};

class renamed {
 public:
  renamed(int id, std::string name) : id_(id), name_(std::move(name)) {}
  int id_;
  std::string name_;
};

struct carrier {
  std::unique_ptr<int> load;
};

const void* address_seen(const auto& event, msgbus::detail::type_key expected) {
  return msgbus::detail::with_event(event, [&](msgbus::detail::value_ref value) -> const void* {
    return value.type == expected ? value.data : nullptr;
  });
}

}  // namespace

TEST_CASE("an event is passed as its own type") {
  const registered event{1, "Alice"};
  CHECK(address_seen(event, msgbus::detail::key_of<registered>) == &event);
}

TEST_CASE("a variant is passed as its active alternative, in place", "[T3][D9]") {
  std::variant<registered, renamed> event = registered{1, "Alice"};
  CHECK(address_seen(event, msgbus::detail::key_of<registered>) == &std::get<0>(event));
  event = renamed{2, "Bob"};
  CHECK(address_seen(event, msgbus::detail::key_of<registered>) == nullptr);
  CHECK(address_seen(event, msgbus::detail::key_of<renamed>) == &std::get<1>(event));
}

TEST_CASE("a variant of variants is passed as its innermost active alternative", "[T3]") {
  using inner = std::variant<int, renamed>;
  const std::variant<registered, inner> event = inner(renamed{2, "Bob"});
  CHECK(address_seen(event, msgbus::detail::key_of<renamed>) == &std::get<1>(std::get<1>(event)));
}

TEST_CASE("a variant is unpacked without copies or moves", "[T3][D9]") {
  using noted = msgbus_test::counted<struct unpacked>;
  const std::variant<int, noted> event(std::in_place_type<noted>, 3);
  noted::reset();
  CHECK(address_seen(event, msgbus::detail::key_of<noted>) == &std::get<1>(event));
  CHECK(noted::copies + noted::moves == 0);
}

TEST_CASE("with_event returns the result of its function, references too") {
  int somewhere = 0;
  const std::variant<int, std::string> event = 5;
  int& returned = msgbus::detail::with_event(
      event, [&](msgbus::detail::value_ref) -> int& { return somewhere; });
  CHECK(&returned == &somewhere);
}

TEST_CASE("arguments construct an event in place, except a single event") {
  STATIC_REQUIRE(msgbus::detail::in_place_for<registered, int, const char*>);
  STATIC_REQUIRE(msgbus::detail::in_place_for<renamed, int, const char*>);
  STATIC_REQUIRE(msgbus::detail::in_place_for<registered>);
  STATIC_REQUIRE_FALSE(msgbus::detail::in_place_for<renamed>);
  STATIC_REQUIRE_FALSE(msgbus::detail::in_place_for<registered, registered>);
  STATIC_REQUIRE_FALSE(msgbus::detail::in_place_for<registered, const registered&>);
  STATIC_REQUIRE_FALSE(msgbus::detail::in_place_for<renamed, std::string, int>);
}

TEST_CASE("an event is constructed from arguments, with braces if it is an aggregate") {
  const registered aggregate = msgbus::detail::make_event<registered>(1, "Alice");
  CHECK(aggregate.id == 1);
  CHECK(aggregate.name == "Alice");
  const renamed constructed = msgbus::detail::make_event<renamed>(2, "Bob");
  CHECK(constructed.id_ == 2);
  CHECK(constructed.name_ == "Bob");
  const auto text = msgbus::detail::make_event<std::string>(3U, 'x');
  CHECK(text == "xxx");  // braces would make two characters
}

TEST_CASE("an event that is constructed in place takes ownership of moved arguments", "[D9]") {
  auto load = std::make_unique<int>(5);
  const int* const address = load.get();
  const carrier made = msgbus::detail::make_event<carrier>(std::move(load));
  CHECK(made.load.get() == address);
}

}  // namespace event_test
