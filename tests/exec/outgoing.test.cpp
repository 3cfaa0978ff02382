#include <msgbus/exec/outgoing.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <array>
#include <string>

namespace outgoing_test {

using msgbus::detail::key_of;
using msgbus::exec::carried;
using msgbus::exec::carried_event;
using msgbus::exec::fits_slot;
using msgbus::exec::outgoing_event;
using msgbus::exec::outgoing_message;
using msgbus::exec::outgoing_share;
using msgbus::exec::ring;

namespace {

struct large {
  std::array<int, 100> all{};
};

// Puts it into a slot and looks at it there.
template <class Outgoing, class Look>
void put_and_look(Outgoing& out, Look look) {
  ring::slot slot{};
  out.prepare(true);
  out.put(slot.place);
  look(*slot.message());
  ring::destroy(*slot.message());
}

}  // namespace

TEST_CASE("what is small and cannot fail to move is carried in the slot itself") {
  CHECK(fits_slot<carried_event<int>, int>);
  CHECK(fits_slot<carried_event<std::string>, std::string>);
  CHECK_FALSE(fits_slot<carried_event<large>, large>);
}

TEST_CASE("an event is moved into its slot, once, and copied never", "[D9]") {
  struct tag;
  using value = msgbus_test::counted<tag>;
  value event(5);
  value::reset();
  outgoing_event<value> out(event);
  CHECK(out.message().data == &event);
  put_and_look(out, [](const carried& there) {
    CHECK(static_cast<const value*>(there.message().data)->value == 5);
  });
  CHECK(value::copies == 0);
  CHECK(value::moves == 1);
}

TEST_CASE("an event that was not taken is still there", "[A9]") {
  std::string event = "a text that is too long for the inside of a string";
  const std::string before = event;
  {
    outgoing_event<std::string> out(event);
    out.prepare(true);
  }
  CHECK(event == before);
}

TEST_CASE("a large event travels in a box, whether or not there is a slot") {
  large event;
  event.all[99] = 7;
  outgoing_event<large> out(event);
  put_and_look(out, [](const carried& there) {
    REQUIRE(there.message().type == key_of<large>);
    CHECK(static_cast<const large*>(there.message().data)->all[99] == 7);
  });

  int small = 3;
  outgoing_event<int> boxed(small);
  boxed.prepare(false);
  REQUIRE(boxed.boxed());
  CHECK(*static_cast<const int*>(boxed.message().data) == 3);
}

TEST_CASE("a message keeps its topic on the way") {
  int value = 3;
  std::string topic = "orders.paid";
  outgoing_message<int> out(value, topic);
  CHECK(out.topic() == "orders.paid");
  put_and_look(out, [](const carried& there) { CHECK(there.topic() == "orders.paid"); });

  std::string other = "orders.sent";
  outgoing_message<int> boxed(value, other);
  boxed.prepare(false);
  CHECK(boxed.topic() == "orders.sent");
  CHECK(boxed.boxed()->topic() == "orders.sent");
}

TEST_CASE("a share refers to the one message, in a slot and in a box") {
  const msgbus::exec::shared_message all = std::make_shared<carried_event<int>>(9);
  outgoing_share out(all);
  put_and_look(out, [&](const carried& there) {
    CHECK(there.message().data == all->message().data);
    CHECK(all.use_count() == 2);
  });
  {
    outgoing_share boxed(all);
    boxed.prepare(false);
    CHECK(boxed.boxed()->message().data == all->message().data);
  }
  CHECK(all.use_count() == 1);
}

}  // namespace outgoing_test
