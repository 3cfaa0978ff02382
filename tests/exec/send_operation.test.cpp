#include <msgbus/detail/exec/send_operation.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <array>
#include <string>

namespace send_operation_test {

using msgbus::detail::key_of;
using msgbus::exec::event_send_operation;
using msgbus::exec::message_send_operation;
using msgbus::exec::queued_event;
using msgbus::exec::queued_message;
using msgbus::exec::send_operation;

namespace {

struct large {
  std::array<int, 100> all{};
};

// Puts it into a queue and looks at it there.
template <class Look>
void put_and_look(send_operation out, Look look) {
  msgbus::exec::block_queue queue(1);
  out.prepare(true);
  const auto claimed = queue.try_claim(out.units());
  out.put(claimed.storage());
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
  CHECK(event_send_operation(number).units() == 1);
  CHECK(event_send_operation(text).units() == 2);
  CHECK(event_send_operation(much).units() == 0);
  CHECK(event_send_operation(event).units() == 0);
}

TEST_CASE("an event is moved into the queue, once, and copied never", "[D9]") {
  struct tag;
  using value = msgbus_test::counted<tag>;
  value event(5);
  value::reset();
  send_operation out = event_send_operation(event);
  CHECK(out.message().data == &event);
  put_and_look(std::move(out), [](const queued_message& there) {
    CHECK(static_cast<const value*>(there.message().data)->value == 5);
  });
  CHECK(value::copies == 0);
  CHECK(value::moves == 1);
}

TEST_CASE("an event that was not taken is still there", "[A9]") {
  std::string event = "a text that is too long for the inside of a string";
  const std::string before = event;
  {
    send_operation out = event_send_operation(event);
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
  put_and_look(event_send_operation(event), [](const queued_message& there) {
    REQUIRE(there.message().type == key_of<large_value>);
    CHECK(static_cast<const large_value*>(there.message().data)->inside.value == 7);
  });
  CHECK(value::copies == 0);
  CHECK(value::moves == 1);

  int small = 3;
  send_operation shared = event_send_operation(small);
  shared.prepare(false);
  REQUIRE(shared.shared());
  CHECK(*static_cast<const int*>(shared.message().data) == 3);
}

TEST_CASE("a message keeps its topic on the way") {
  int value = 3;
  std::string topic = "orders.paid";
  send_operation out = message_send_operation(value, topic);
  CHECK(out.topic() == "orders.paid");
  put_and_look(std::move(out),
               [](const queued_message& there) { CHECK(there.topic() == "orders.paid"); });

  std::string other = "orders.sent";
  send_operation shared = message_send_operation(value, other);
  shared.prepare(false);
  CHECK(shared.topic() == "orders.sent");
  CHECK(shared.shared()->topic() == "orders.sent");
}

TEST_CASE("a message that is shared is referred to, in a place and in a queue of references") {
  const msgbus::exec::shared_message all = std::make_shared<queued_event<int>>(9);
  put_and_look(send_operation(all), [&](const queued_message& there) {
    CHECK(there.message().data == all->message().data);
    CHECK(all.use_count() == 2);
  });
  {
    send_operation other(all);
    other.prepare(false);
    CHECK(other.shared() == all);
  }
  CHECK(all.use_count() == 1);
}

}  // namespace send_operation_test
