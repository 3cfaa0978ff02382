#include <msgbus/exec/outgoing.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <array>
#include <string>

namespace outgoing_test {

using msgbus::detail::key_of;
using msgbus::exec::carried;
using msgbus::exec::carried_event;
using msgbus::exec::outgoing;
using msgbus::exec::outgoing_event;
using msgbus::exec::outgoing_message;

namespace {

struct large {
  std::array<int, 100> all{};
};

// Puts it into a queue and looks at it there.
template <class Look>
void put_and_look(outgoing out, Look look) {
  msgbus::exec::block_queue queue(1);
  out.prepare(true);
  const auto claimed = queue.try_claim(out.units());
  out.put(claimed.place());
  msgbus::exec::block_queue::publish(claimed);
  look(*queue.take());
  queue.done();
}

}  // namespace

TEST_CASE("a message that is small and cannot fail to move is in the queue itself") {
  struct may_throw {
    may_throw() = default;
    may_throw(may_throw&&) {}
  };
  int number = 1;
  std::string text;
  large much;
  may_throw event;
  CHECK(outgoing_event(number).units() == 1);
  CHECK(outgoing_event(text).units() == 2);
  CHECK(outgoing_event(much).units() == 0);
  CHECK(outgoing_event(event).units() == 0);
}

TEST_CASE("an event is moved into the queue, once, and copied never", "[D9]") {
  struct tag;
  using value = msgbus_test::counted<tag>;
  value event(5);
  value::reset();
  outgoing out = outgoing_event(event);
  CHECK(out.message().data == &event);
  put_and_look(std::move(out), [](const carried& there) {
    CHECK(static_cast<const value*>(there.message().data)->value == 5);
  });
  CHECK(value::copies == 0);
  CHECK(value::moves == 1);
}

TEST_CASE("an event that was not taken is still there", "[A9]") {
  std::string event = "a text that is too long for the inside of a string";
  const std::string before = event;
  {
    outgoing out = outgoing_event(event);
    out.prepare(true);
  }
  CHECK(event == before);
}

TEST_CASE("a large event travels by reference, and a small one where the queue has no places",
          "[D9]") {
  struct tag;
  using value = msgbus_test::counted<tag>;
  struct large_value {
    value inside{7};
    large rest;
  };
  large_value event;
  value::reset();
  put_and_look(outgoing_event(event), [](const carried& there) {
    REQUIRE(there.message().type == key_of<large_value>);
    CHECK(static_cast<const large_value*>(there.message().data)->inside.value == 7);
  });
  CHECK(value::copies == 0);
  CHECK(value::moves == 1);

  int small = 3;
  outgoing shared = outgoing_event(small);
  shared.prepare(false);
  REQUIRE(shared.shared());
  CHECK(*static_cast<const int*>(shared.message().data) == 3);
}

TEST_CASE("a message keeps its topic on the way") {
  int value = 3;
  std::string topic = "orders.paid";
  outgoing out = outgoing_message(value, topic);
  CHECK(out.topic() == "orders.paid");
  put_and_look(std::move(out), [](const carried& there) { CHECK(there.topic() == "orders.paid"); });

  std::string other = "orders.sent";
  outgoing shared = outgoing_message(value, other);
  shared.prepare(false);
  CHECK(shared.topic() == "orders.sent");
  CHECK(shared.shared()->topic() == "orders.sent");
}

TEST_CASE("a message that is shared is referred to, in a place and in a queue of references") {
  const msgbus::exec::shared_message all = std::make_shared<carried_event<int>>(9);
  put_and_look(outgoing(all), [&](const carried& there) {
    CHECK(there.message().data == all->message().data);
    CHECK(all.use_count() == 2);
  });
  {
    outgoing other(all);
    other.prepare(false);
    CHECK(other.shared() == all);
  }
  CHECK(all.use_count() == 1);
}

}  // namespace outgoing_test
