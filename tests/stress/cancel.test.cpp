// Cancel means stopped (D6), while other threads dispatch, subscribe and cancel (D4, D7).

#include <msgbus/sync.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <array>
#include <cstring>
#include <mutex>

namespace cancel_test {

namespace bus = msgbus::sync;
using msgbus_test::event;
using msgbus_test::expect;
using msgbus_test::rounds;
using msgbus_test::thread_group;

namespace {

struct ping {
  int number;
};

/// What a handler points to. Freed memory is overwritten first, so that its use shows also where no
/// sanitizer watches.
class target {
 public:
  void touch() {
    expect(alive_ == 0x5afe, "what a handler points to is alive while it runs");
    ++touched_;
  }
  ~target() { alive_ = 0xdead; }

 private:
  unsigned alive_ = 0x5afe;
  std::atomic<int> touched_{0};
};

}  // namespace

TEST_CASE("objects that a cancelled handler points to may be freed, while others dispatch",
          "[D6][D7]") {
  bus::consumer consumer;
  std::atomic<long> other{0};
  consumer.handler([&](const ping&) { ++other; });
  thread_group dispatching;
  for (int i = 0; i < 3; ++i) {
    dispatching.repeat([&] { expect(consumer.consume(ping{1}) >= 1, "the lasting handler ran"); });
  }
  for (int round = 0; round < rounds(300); ++round) {
    auto pointed = std::make_unique<target>();
    auto held = consumer.handler([t = pointed.get()](const ping&) { t->touch(); });
    if (round % 8 == 0) dispatching.wait_for_turns(2);
    held.cancel();
    pointed.reset();
  }
  dispatching.stop();
  CHECK(other > 0);
}

TEST_CASE("the same holds for topics, exact and with wildcards", "[D6][D7]") {
  bus::subscriber subscriber;
  bus::publisher publisher;
  publisher.bind(subscriber);
  std::atomic<long> lasting{0};
  subscriber.subscribe("a.>", [&](const ping&) { ++lasting; });
  thread_group dispatching;
  for (int i = 0; i < 3; ++i) {
    dispatching.repeat([&] {
      expect(publisher.publish(ping{1}, "a.b.c") >= 1, "the lasting handler ran");
      expect(publisher.publish(ping{1}, "a.x") >= 1, "the lasting handler ran");
    });
  }
  const std::array<std::string_view, 5> patterns{"a.b.c", "a.*.c", "*.b.>", "a.x", ">"};
  for (int round = 0; round < rounds(300); ++round) {
    auto pointed = std::make_unique<target>();
    const auto pattern = patterns[static_cast<std::size_t>(round) % patterns.size()];
    auto held = subscriber.subscribe(pattern, [t = pointed.get()](const ping&) { t->touch(); });
    if (round % 8 == 0) dispatching.wait_for_turns(2);
    held.cancel();
    pointed.reset();
  }
  dispatching.stop();
  CHECK(lasting > 0);
}

TEST_CASE("many threads subscribe and cancel at once, and no handler is lost", "[D4][D6]") {
  bus::consumer consumer;
  thread_group all;
  for (int i = 0; i < 3; ++i) {
    all.repeat([&] {
      std::atomic<int> mine{0};
      auto first = consumer.handler([&](const ping&) { ++mine; });
      auto second = consumer.handler([&](const ping&) { ++mine; });
      consumer.consume(ping{1});
      expect(mine >= 2, "a handler that was attached before runs");
      first.cancel();
      const int before = mine;
      consumer.consume(ping{2});
      expect(mine > before, "the handler beside a cancelled one goes on running");
      second.cancel();
      const int at_end = mine;
      consumer.consume(ping{3});
      expect(mine == at_end, "a cancelled handler never runs again");
    });
  }
  all.wait_for_turns(rounds(300));
  all.stop();
  CHECK(consumer.consume(ping{4}) == 0);
}

TEST_CASE("cancel waits for the running handler and for its captures to go", "[D6]") {
  bus::consumer consumer;
  event running;
  event may_end;
  auto capture = std::make_shared<int>(1);
  std::atomic<bool> ended{false};
  auto held = consumer.handler([&, capture](const ping&) {
    running.set();
    may_end.wait();
    ended = true;
  });
  auto dispatch = std::async(std::launch::async, [&] { consumer.consume(ping{1}); });
  running.wait();
  CHECK(capture.use_count() == 2);
  auto cancel = std::async(std::launch::async, [&] {
    held.cancel();
    expect(ended, "when cancel returns the handler has ended");
    expect(capture.use_count() == 1, "when cancel returns the captures are gone");
  });
  auto second = std::async(std::launch::async, [&, copy = held]() mutable {
    copy.cancel();
    expect(ended, "that holds for every cancel of the same handler");
    expect(capture.use_count() == 1, "that holds for every cancel of the same handler");
  });
  may_end.set();
  cancel.get();
  second.get();
  dispatch.get();
}

TEST_CASE("cancel does not wait for another component's dispatches", "[D6]") {
  bus::consumer busy;
  bus::consumer idle;
  event running;
  event may_end;
  busy.handler([&](const ping&) {
    running.set();
    may_end.wait();
  });
  auto held = idle.handler([](const ping&) {});
  auto dispatch = std::async(std::launch::async, [&] { busy.consume(ping{1}); });
  running.wait();
  held.cancel();  // would hang
  CHECK_FALSE(held.active());
  may_end.set();
  dispatch.get();
}

TEST_CASE("cancelled from another handler, captures go when the last running call returns",
          "[D6]") {
  bus::consumer slow;
  bus::consumer quick;
  event running;
  event may_end;
  auto capture = std::make_shared<int>(1);
  auto held = slow.handler([&, capture](const ping&) {
    running.set();
    may_end.wait();
  });
  quick.handler([&](const ping&) { held.cancel(); });
  auto dispatch = std::async(std::launch::async, [&] {
    slow.consume(ping{1});
    expect(capture.use_count() == 1, "after the last running call the captures are gone");
  });
  running.wait();
  quick.consume(ping{1});  // does not wait
  CHECK_FALSE(held.active());
  CHECK(capture.use_count() == 2);
  CHECK(slow.consume(ping{2}) == 0);
  CHECK(capture.use_count() == 2);
  may_end.set();
  dispatch.get();
  CHECK(capture.use_count() == 1);
}

TEST_CASE("two running handlers cancel each other without hanging", "[D6]") {
  for (int round = 0; round < rounds(50); ++round) {
    bus::consumer left;
    bus::consumer right;
    event left_runs;
    event right_runs;
    msgbus::subscription left_held;
    msgbus::subscription right_held;
    auto left_capture = std::make_shared<int>(1);
    auto right_capture = std::make_shared<int>(1);
    left_held = left.handler([&, left_capture](const ping&) {
      left_runs.set();
      right_runs.wait();
      right_held.cancel();
    });
    right_held = right.handler([&, right_capture](const ping&) {
      right_runs.set();
      left_runs.wait();
      left_held.cancel();
    });
    auto one = std::async(std::launch::async, [&] { left.consume(ping{1}); });
    right.consume(ping{1});
    one.get();
    CHECK(left_capture.use_count() == 1);
    CHECK(right_capture.use_count() == 1);
    CHECK(left.consume(ping{1}) == 0);
    CHECK(right.consume(ping{1}) == 0);
  }
}

TEST_CASE("one-shot handlers that cancel themselves run at least once and then never", "[D4][D6]") {
  bus::consumer consumer;
  thread_group dispatching;
  for (int i = 0; i < 2; ++i) dispatching.repeat([&] { consumer.consume(ping{1}); });
  for (int round = 0; round < rounds(200); ++round) {
    struct state {
      std::mutex mutex;
      msgbus::subscription self;
      event ran;
      bool done = false;
    };
    auto capture = std::make_shared<state>();
    auto held = consumer.handler([capture](const ping&) {
      const std::lock_guard lock(capture->mutex);
      capture->self.cancel();
      if (!std::exchange(capture->done, true)) capture->ran.set();
    });
    {
      const std::lock_guard lock(capture->mutex);
      capture->self = held;
    }
    capture->ran.wait();
    held.cancel();
    // The handler's own share of the state holds its subscription, and both are gone now.
    REQUIRE(capture.use_count() == 1);
  }
  dispatching.stop();
}

TEST_CASE("captures whose destructors cancel each other's handlers do not hang", "[D6]") {
  for (int round = 0; round < rounds(100); ++round) {
    bus::consumer consumer;
    auto left = std::make_shared<msgbus::scoped_subscription>();
    auto right = std::make_shared<msgbus::scoped_subscription>();
    auto left_held = consumer.handler([right](const ping&) {});
    auto right_held = consumer.handler([left](const ping&) {});
    *left = left_held;
    *right = right_held;
    left.reset();
    right.reset();
    auto one = std::async(std::launch::async, [&] { left_held.cancel(); });
    right_held.cancel();
    one.get();
    CHECK(consumer.consume(ping{1}) == 0);
  }
}

TEST_CASE("handlers that own each other's subscriptions go with their component", "[D6][D8]") {
  auto consumer = std::make_unique<bus::consumer>();
  auto left = std::make_shared<msgbus::scoped_subscription>();
  auto right = std::make_shared<msgbus::scoped_subscription>();
  *left = consumer->handler([right](const ping&) {});
  *right = consumer->handler([left](const ping&) {});
  const std::weak_ptr<msgbus::scoped_subscription> watched = left;
  left.reset();
  right.reset();
  CHECK_FALSE(watched.expired());
  consumer.reset();
  CHECK(watched.expired());
}

}  // namespace cancel_test
