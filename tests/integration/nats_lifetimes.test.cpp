#include <msgbus/nats/options.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <atomic>
#include <thread>

namespace nats_lifetimes_test {

using namespace msgbus_test;
using msgbus::envelope;
using msgbus::errc;
using msgbus::transport::urgency;

namespace {

/// Blocks the transport's thread until `let_go` is set.
class holding final : public msgbus::transport::sink {
 public:
  bool take(envelope&&, bool) noexcept override {
    if (!came.is_set()) came.set();
    let_go.wait();
    return false;
  }
  event came;
  event let_go;
};

/// Calls a function for each message.
class calling final : public msgbus::transport::sink {
 public:
  explicit calling(std::function<void()> f) : f_(std::move(f)) {}
  bool take(envelope&&, bool) noexcept override {
    f_();
    got.add(1);
    return true;
  }
  kept<int> got;

 private:
  const std::function<void()> f_;
};

asio::awaitable<void> ignore_result(asio::awaitable<msgbus::transport::stored> storing) {
  (void)co_await std::move(storing);
}

bool is_closed(const std::exception_ptr& failure) {
  return failure && code_of([&] { std::rethrow_exception(failure); }) == errc::closed;
}

}  // namespace

TEST_CASE("a feed may be stopped while its sink keeps the transport waiting") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  const auto from = connect(here, server);
  auto sink = std::make_shared<holding>();
  auto feed = at->subscribe("a", "", sink);
  here.run(at->flush(time_limit));
  for (int i = 0; i < 10; ++i) from->publish(envelope{"a"}, urgency::at_once);
  sink->came.wait();
  SECTION("by itself") {}
  SECTION("after its transport was closed") { at->close(); }
  feed->stop();
  feed.reset();
  sink->let_go.set();
}

TEST_CASE("a feed may be stopped, and its transport closed, from inside its sink") {
  const nats_server server;
  loop here;
  auto at = connect(here, server);
  const auto from = connect(here, server);
  // given: a sink that stops its feed or its transport
  std::unique_ptr<msgbus::transport::feed> feed;
  event subscribed;
  const int ending = GENERATE(0, 1, 2);
  auto sink = std::make_shared<calling>([&] {
    subscribed.wait();
    if (ending == 0) feed->stop();
    if (ending == 1) feed.reset();
    if (ending == 2) at.reset();
  });
  feed = at->subscribe("a", "", sink);
  here.run(at->flush(time_limit));
  subscribed.set();
  // when: a message arrives
  from->publish(envelope{"a"}, urgency::at_once);
  // then: the sink returns
  sink->got.wait_for(1);
}

TEST_CASE("dropped messages of a slow sink are counted and reported") {
  const nats_server server;
  loop here;
  std::vector<msgbus::nats::event> events;
  // given: a subscription with a short queue, and a sink that blocks
  msgbus::nats::options options;
  options.url = server.url();
  options.pending_limit = 10;
  options.on_event = [&](const msgbus::nats::event& event) { events.push_back(event); };
  const auto at = connect(here, options);
  const auto from = connect(here, server);
  auto sink = std::make_shared<holding>();
  const auto feed = at->subscribe("slow.topic", "", sink);
  here.run(at->flush(time_limit));
  // when: more messages are published than the queue holds
  for (int i = 0; i < 50; ++i) from->publish(envelope{"slow.topic"}, urgency::bulk);
  sink->came.wait();
  // then: the event reports the subscription
  here.run_until([&] { return !events.empty(); });
  CHECK(events[0].what == msgbus::nats::event::kind::slow_consumer);
  CHECK(events[0].text == "slow.topic");
  here.run(from->flush(time_limit));
  here.run(at->flush(time_limit));
  // when: the sink refuses the rest
  sink->let_go.set();
  // The sink has one message, ten are queued; it refuses them all. then: every message is counted
  // as dropped
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (feed->dropped() < 50 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  CHECK(feed->dropped() == 50);
  feed->stop();
  CHECK(feed->dropped() == 50);
}

TEST_CASE("closing ends pending operations with 'closed', and later ones are refused") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  // given: a source, a store and a flush that are pending
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  auto sink = std::make_shared<delivery_collector>();
  const auto source = here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
  source->ask(10);
  server.freeze();  // no operation completes by itself
  auto store = here.start(ignore_result(at->store(numbered_message("orders.a", 1), time_limit)));
  auto flush = here.start(at->flush(time_limit));
  here.poll();
  // when: the transport is closed
  at->close();
  at->close();
  // then: the pending operations end with closed
  here.finish(store);
  here.finish(flush);
  CHECK(is_closed(store.failure()));
  CHECK(is_closed(flush.failure()));
  const auto ends = sink->ends.wait_for(1);
  CHECK(is_closed(ends[0]));
  server.thaw();

  // then: later operations throw closed
  CHECK(code_of([&] { at->publish(envelope{"a"}, urgency::bulk); }) == errc::closed);
  CHECK(code_of([&] { at->publish(envelope{"a"}, urgency::at_once); }) == errc::closed);
  CHECK(code_of([&] { (void)at->subscribe("a", "", std::make_shared<collector>()); }) ==
        errc::closed);
  CHECK(code_of([&] { here.run(at->flush(time_limit)); }) == errc::closed);
  CHECK(code_of([&] { here.run(at->store(numbered_message("orders.a", 2), time_limit)); }) ==
        errc::closed);
  CHECK(code_of([&] { ensure_stream(here, *at, "OTHER", {"other"}); }) == errc::closed);
  source->ask(5);
}

TEST_CASE("a transport may be closed while threads use it") {
  const nats_server server;
  for (int round = 0; round < rounds(5); ++round) {
    loop here;
    const auto at = connect(here, server);
    ensure_stream(here, *at, "ORDERS", {"orders.>"});
    // given: threads that publish, subscribe and receive
    thread_group all;
    std::atomic<bool> closed{false};
    const auto use = [&](auto operation) {
      all.repeat([&, operation] {
        try {
          operation();
        } catch (const msgbus::error& e) {
          expect(e.code() == errc::closed && closed, "an operation fails only after the close");
        }
      });
    };
    use([&] { at->publish(envelope{"a"}, urgency::bulk); });
    use([&] { at->publish(envelope{"a"}, urgency::at_once); });
    // nats.c has a thread for each subscription.
    std::atomic<int> subscriptions{0};
    use([&] {
      if (!closed && ++subscriptions > 100) return;
      (void)at->subscribe("a", "", std::make_shared<collector>());
      (void)at->subscribe(at->new_inbox(), "", std::make_shared<collector>());
    });
    auto sink = std::make_shared<delivery_collector>();
    auto source = here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
    source->ask(100);
    store(here, *at, "orders.a", 20);
    all.wait_for_turns(200);
    // when: the transport is closed
    closed = true;
    at->close();
    // then: the threads continue, and see only closed
    all.wait_for_turns(200);
    all.stop();
  }
}

TEST_CASE("subscriptions may end while their messages arrive, and some are slow") {
  const nats_server server;
  loop here;
  // given: a thread that publishes
  msgbus::nats::options options;
  options.url = server.url();
  options.pending_limit = 2;  // nats.c then also reports slow subscriptions, which may have ended
  options.on_event = [](const msgbus::nats::event&) {};
  const auto at = connect(here, options);
  const auto from = connect(here, server);
  thread_group all;
  all.repeat([&] {
    for (int i = 0; i < 50; ++i) from->publish(envelope{"a"}, urgency::at_once);
  });
  // when: threads subscribe, receive and unsubscribe
  std::atomic<int> ended{0};
  std::atomic<bool> over{false};
  const auto subscribe = [&] {
    auto sink = std::make_shared<collector>();
    const auto feed = at->subscribe("a", "", sink);
    while (sink->got.size() == 0 && !over) std::this_thread::yield();
    ++ended;
  };
  for (int i = 0; i < 3; ++i) all.repeat(subscribe);
  all.wait_for_turns(rounds(200));
  // then: the transport still works
  over = true;
  all.stop();
  here.poll();
  CHECK(ended > 0);
  here.run(at->flush(time_limit));
}

TEST_CASE("a cancelled wait ends at once, and its operation may still complete") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  // given: a store and a flush that a silent server does not answer
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  server.freeze();
  auto store = here.start(ignore_result(at->store(numbered_message("orders.a", 1), time_limit)));
  auto flush = here.start(at->flush(time_limit));
  here.poll();
  // when: both are cancelled
  store.cancel();
  flush.cancel();
  // then: both end with operation_aborted
  here.finish(store);
  here.finish(flush);
  CHECK(is_aborted(store.failure()));
  CHECK(is_aborted(flush.failure()));
  // then: the store may nevertheless have taken place
  server.thaw();
  const auto done = here.run(at->store(numbered_message("orders.a", 2), time_limit));
  CHECK(done.sequence == 2);
}

TEST_CASE("a context may be destroyed while coroutines wait there", "[A12]") {
  const nats_server server;
  loop outer;
  const auto helper = connect(outer, server);
  ensure_stream(outer, *helper, "ORDERS", {"orders.>"});
  const int round = GENERATE(range(0, 20));
  // given: pending stores, a flush, a source and a connection attempt
  loop here;
  auto at = connect(here, server);
  auto sink = std::make_shared<delivery_collector>();
  auto source = here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
  source->ask(10);
  for (int i = 0; i < 50; ++i) {
    here.start(ignore_result(at->store(numbered_message("orders.b", round * 50 + i), time_limit)));
  }
  here.start(at->flush(time_limit));
  msgbus::nats::options options;
  options.url = server.url();
  options.on_event = [](const msgbus::nats::event&) {};
  here.start(msgbus::nats::open(here.executor(), options));
  here.poll();
  // when: their context is destroyed
  if (round % 2 == 0) at.reset();
  here.destroy();
  // then: other transports continue, and the objects may be destroyed
  outer.run(helper->flush(time_limit));
  source.reset();
  at.reset();
}

TEST_CASE("a transport outlives its executor, and then calls no callback", "[A12]") {
  nats_server server;
  loop here;
  msgbus::nats::options options;
  options.url = server.url();
  options.reconnect_wait = 10ms;
  options.on_event = [](const msgbus::nats::event&) { std::abort(); };
  const auto at = connect(here, options);
  loop other;
  const auto witness = connect(other, {.url = server.url(), .reconnect_wait = 10ms});
  here.destroy();
  server.kill();
  server.restart();
  other.run(witness->flush(time_limit));
  other.run(at->flush(time_limit));
}

}  // namespace nats_lifetimes_test
