// Events as something to loop over.

#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streams_test {

using asio::awaitable;
using msgbus::overflow;
using msgbus::async::consumer;
using msgbus::async::stream;
using msgbus::async::subscriber;
using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;
using msgbus_test::hop;
using msgbus_test::is_aborted;

namespace {

struct numbered {
  int n = 0;
};
inline constexpr msgbus::topic<int> numbers{"numbers"};

template <class E>
awaitable<void> collect(stream<E>& from, std::vector<E>& to) {
  while (std::optional<E> each = co_await from.next()) to.push_back(std::move(*each));
}

}  // namespace

TEST_CASE("a stream gives the events of its component, in order, and ends when that is closed",
          "[A4][A10]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    stepping_context context(shuffled{seed});
    consumer events(context.get_executor());
    stream<int> ints = events.stream_of<int>({.capacity = 3});
    std::vector<int> got;
    auto collecting = context.spawn(collect(ints, got));
    for (int i = 0; i < 20; ++i) {
      (void)events.post(i);
      (void)events.post(0.5);
    }
    context.run();
    CHECK_FALSE(collecting.done());
    events.close();
    context.run();
    CHECK(collecting.done());
    REQUIRE(got.size() == 20);
    CHECK(std::is_sorted(got.begin(), got.end()));
  }
}

TEST_CASE("a full stream makes the component wait, and with it its senders", "[A6]") {
  stepping_context context;
  consumer events(context.get_executor(), {.capacity = 1});
  stream<int> ints = events.stream_of<int>({.capacity = 2});
  int sent = 0;
  auto send = [&]() -> awaitable<void> {
    for (; sent < 10; ++sent) (void)co_await events.send<int>(sent);
  };
  auto sending = context.spawn(send());
  context.run();
  CHECK(ints.size() == 2);
  CHECK(sent == 4);  // two in the stream, one being handled, one in the mailbox
  for (int i = 0; i < 10; ++i) CHECK(context.run(ints.next()) == i);
  context.run();
  CHECK(sending.done());
  CHECK(ints.lost() == 0);
}

TEST_CASE("streams that do not wait lose the newest or the oldest, and count", "[A6]") {
  stepping_context context;
  consumer events(context.get_executor());
  auto newest = events.stream_of<int>({.capacity = 2, .on_full = overflow::drop_newest});
  auto rejecting = events.stream_of<int>({.capacity = 2, .on_full = overflow::reject});
  auto oldest = events.stream_of<int>({.capacity = 2, .on_full = overflow::drop_oldest});
  for (int i = 0; i < 5; ++i) (void)events.post(i);
  context.run();
  for (auto* each : {&newest, &rejecting, &oldest}) CHECK(each->lost() == 3);
  CHECK(context.run(newest.next()) == 0);
  CHECK(context.run(rejecting.next()) == 0);
  CHECK(context.run(oldest.next()) == 3);
  CHECK(context.run(oldest.next()) == 4);
}

TEST_CASE("an awaited verb ends when its streams have taken the event", "[A1]") {
  stepping_context context;
  consumer events(context.get_executor());
  auto ints = events.stream_of<int>({.capacity = 1});
  CHECK(context.run(events.consume(1)) == 1);
  auto second = context.spawn(events.consume(2));
  context.run();
  CHECK_FALSE(second.done());
  CHECK(context.run(ints.next()) == 1);
  context.run();
  CHECK(second.get() == 1);
}

TEST_CASE("several may wait in next, and each event goes to one of them") {
  stepping_context context;
  consumer events(context.get_executor());
  auto ints = events.stream_of<int>();
  std::vector<int> a, b;
  auto first = context.spawn(collect(ints, a));
  auto second = context.spawn(collect(ints, b));
  for (int i = 0; i < 20; ++i) {
    (void)events.post(i);
    if (i % 3 == 0) context.run();
  }
  events.close();
  context.run();
  CHECK(first.done());
  CHECK(second.done());
  CHECK(a.size() + b.size() == 20);
}

TEST_CASE(
    "a stream that is closed or destroyed releases its component and its waiting coroutines") {
  stepping_context context;
  consumer events(context.get_executor(), {.capacity = 1});
  auto ints = std::make_unique<stream<int>>(events.stream_of<int>({.capacity = 1}));
  auto other = events.stream_of<int>();
  auto consuming = context.spawn(events.consume(1));
  auto stuck = context.spawn(events.consume(2));
  context.run();
  CHECK(consuming.done());
  CHECK_FALSE(stuck.done());
  ints->close();
  context.run();
  CHECK(stuck.done());
  (void)context.run(ints->next());
  ints.reset();
  CHECK(context.run(events.consume(3)) == 1);
  auto waiting = context.spawn(other.next());
  context.run();
  CHECK(other.size() == 2);
  for (int i = 0; i < 2; ++i) (void)context.run(other.next());
  auto last = context.spawn(other.next());
  context.run();
  CHECK_FALSE(last.done());
  other = stream<int>();
  context.run();
  CHECK_FALSE(last.get().has_value());
  CHECK(context.run(events.consume(4)) == 0);
}

TEST_CASE("a moved stream is the same stream, and one of nothing has ended") {
  stepping_context context;
  consumer events(context.get_executor());
  auto first = events.stream_of<int>();
  (void)events.post(1);
  context.run();
  stream<int> second(std::move(first));
  (void)events.post(2);
  context.run();
  CHECK(context.run(second.next()) == 1);
  CHECK(context.run(second.next()) == 2);
  stream<int> none;
  CHECK_FALSE(context.run(none.next()).has_value());
}

TEST_CASE("a subscriber's stream is of a pattern and a type, or of a typed topic", "[T5]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  auto texts = messages.stream_of<std::string>("a.*");
  auto typed = messages.stream_of(numbers);
  (void)messages.post(std::string("one"), "a.b");
  (void)messages.post(std::string("two"), "a.c");
  (void)messages.post(7, numbers);
  context.run();
  CHECK(context.run(texts.next()) == "one");
  CHECK(context.run(texts.next()) == "two");
  CHECK(context.run(typed.next()) == 7);
}

TEST_CASE("a stream outlives its component: it keeps its events, and then ends", "[D8]") {
  stepping_context context;
  auto events = std::make_unique<consumer>(context.get_executor());
  auto ints = events->stream_of<int>();
  (void)events->post(1);
  context.run();
  events.reset();
  CHECK(context.run(ints.next()) == 1);
  CHECK_FALSE(context.run(ints.next()).has_value());
  ints.close();
}

TEST_CASE("a cancelled delivery into a full stream puts nothing there", "[A9]") {
  stepping_context context;
  consumer events(context.get_executor());
  auto ints = events.stream_of<int>({.capacity = 1});
  (void)context.run(events.consume(1));
  auto second = context.spawn(events.consume(2));
  context.run();
  second.cancel();
  context.run();
  CHECK(is_aborted(second.failure()));
  CHECK(context.run(ints.next()) == 1);
  (void)events.post(3);
  context.run();
  CHECK(context.run(ints.next()) == 3);
}

}  // namespace streams_test
