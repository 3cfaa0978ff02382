#include <msgbus/nats/options.hpp>

#include <msgbus/bridge.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <set>

namespace nats_comes_back_test {

using namespace msgbus_test;
using msgbus::envelope;
using msgbus::errc;
using msgbus::transport::urgency;
using kind = msgbus::nats::event::kind;

// A connection reconnects without limit, also after nats.c has given up (docs/design/0013). Each
// test has another reason for that.

namespace {

/// A server whose configuration changes, and a transport whose events are recorded.
struct changing {
  explicit changing(std::string configuration) : server(std::move(configuration)) {}

  transport_ptr connect(msgbus::nats::options options = {}) {
    options.url = server.url();
    options.reconnect_wait = 20ms;
    options.on_event = [this](const msgbus::nats::event& event) { events.push_back(event); };
    return msgbus_test::connect(here, options);
  }
  /// Throws if the connection has closed.
  void wait_for(kind event, std::size_t times = 1) {
    here.run_until([&] {
      if (count(kind::closed) != 0) throw std::runtime_error("closed: " + text_of(kind::closed));
      return count(event) >= times;
    });
  }
  void wait_for_text(const std::string& part) {
    here.run_until([&] {
      return std::ranges::any_of(
          events, [&](const auto& each) { return each.text.find(part) != std::string::npos; });
    });
  }
  [[nodiscard]] std::size_t count(kind event) const {
    return static_cast<std::size_t>(
        std::ranges::count(events, event, [](const auto& each) { return each.what; }));
  }
  [[nodiscard]] std::string text_of(kind event) const {
    std::string all;
    for (const auto& each : events) {
      if (each.what == event) all += each.text + '\n';
    }
    return all;
  }

  configured_server server;
  loop here;
  std::vector<msgbus::nats::event> events;
};

/// Checks that messages of another transport arrive.
void check_talking(changing& test, msgbus::transport::transport& at, collector& sink,
                   const std::string& topic) {
  static int number = 0;
  test.here.run(at.flush(time_limit));
  envelope message{topic};
  message.payload = "probe" + std::to_string(++number);
  at.publish(message, urgency::at_once);
  for (;;) {
    for (const auto& each : sink.got.wait_for(1)) {
      if (each.payload == message.payload) return;
    }
  }
}

/// Keeps the reason for the end of its subscription.
class ending_collector final : public msgbus::transport::sink {
 public:
  bool take(envelope&&, bool) noexcept override { return true; }
  void ended(const std::exception_ptr& why) noexcept override { ends.add(std::exception_ptr(why)); }
  kept<std::exception_ptr> ends;
};

}  // namespace

TEST_CASE("a transport whose logins were refused reconnects with the right password", "[B9]") {
  const std::string right = "authorization { user: me, password: right }\n";
  // given: a connected transport with a subscription
  changing test(right);
  msgbus::nats::options options;
  options.user = "me";
  options.password = "right";
  const auto at = test.connect(options);
  auto sink = std::make_shared<collector>();
  const auto feed = at->subscribe("a", "", sink);
  test.here.run(at->flush(time_limit));

  // when: the server refuses its login for a while
  SECTION("after a restart of the server with another password") {
    test.server.kill();
    test.server.configure("authorization { user: me, password: other }\n");
    test.server.restart();
    // nats.c gives up after the second refusal; the transport continues.
    test.wait_for_text("cannot connect");
    test.server.kill();
    test.server.configure(right);
    test.server.restart();
  }
  SECTION("after the server has reloaded its configuration") {
    test.server.configure("authorization { user: me, password: other }\n");
    test.server.reload();
    test.wait_for_text("cannot connect");
    test.server.configure(right);
    test.server.reload();
  }
  // then: it reconnects, and no event shows the password
  test.wait_for(kind::reconnected);
  check_talking(test, *at, *sink, "a");
  CHECK_THAT(test.text_of(kind::failed), !contains("right"));
}

TEST_CASE("a call that waits for the connection continues when nats.c gives up reconnecting",
          "[B6][B9]") {
  const std::string right = "authorization { user: me, password: right }\n";
  changing test(right);
  msgbus::nats::options options;
  options.user = "me";
  options.password = "right";
  // given: a service and a caller over two transports
  msgbus::async::service users(test.here.executor());
  gate opened;
  auto echo = users.handler("echo", [](int a) { return a; });
  auto slow = users.handler("slow", [&]() -> asio::awaitable<void> { co_await opened.wait(); });
  msgbus::bridge both(test.connect(options));
  both.serve("users", echo, slow);
  test.here.run(both.flush());
  const msgbus::remote_service remote(both, "users", {.timeout = 2 * deadline});
  // when: the server is killed during a call
  auto before = test.here.start(remote.execute("slow"));
  test.here.run_until([&] { return opened.came() == 1; });
  test.server.kill();
  test.here.finish(before);
  CHECK(code_of([&] { before.get(); }) == errc::disconnected);

  // when: another call waits while nats.c gives up reconnecting
  auto after = test.here.start(remote.execute<int>("echo", 2));
  test.server.configure("authorization { user: me, password: other }\n");
  test.server.restart();
  test.wait_for_text("cannot connect");  // nats.c has given up
  test.server.kill();
  test.server.configure(right);
  test.server.restart();
  // then: the waiting call ends after the reconnection
  test.here.finish(after);
  // The call is sent when its connection is back; the service's connection may be back later.
  const std::error_code outcome = code_of([&] { (void)after.get(); });
  INFO(outcome.message());
  CHECK((!outcome || outcome == errc::no_handler));
  opened.open();
}

TEST_CASE("only the subscription above the server's limit is refused", "[B9]") {
  changing test("max_subscriptions: 6\n");
  const auto at = test.connect();
  // given: as many subscriptions as the server allows
  auto sink = std::make_shared<collector>();
  std::vector<std::unique_ptr<msgbus::transport::feed>> feeds;
  for (int i = 0; i < 6; ++i) {
    feeds.push_back(at->subscribe("a" + std::to_string(i), "", sink));
  }
  test.here.run(at->flush(time_limit));
  // when: one more is made
  auto refused = std::make_shared<ending_collector>();
  const auto one_more = at->subscribe("one.more", "", refused);

  // then: only that one ends, and the others continue
  const auto end = refused->ends.wait_for(1);
  CHECK_THAT(msgbus::describe(end[0]), contains("'one.more'"));
  CHECK_THAT(msgbus::describe(end[0]), contains("aximum subscriptions exceeded"));
  test.wait_for(kind::reconnected);
  for (int i = 0; i < 6; ++i) check_talking(test, *at, *sink, "a" + std::to_string(i));
  CHECK_THAT(test.text_of(kind::failed), contains("'one.more'"));
  CHECK(test.count(kind::closed) == 0);
}

TEST_CASE("only the subscriptions above a limit that a restart has lowered end", "[B9]") {
  changing test("max_subscriptions: 10\n");
  const auto at = test.connect();
  // given: five subscriptions
  auto sink = std::make_shared<collector>();
  std::vector<std::shared_ptr<ending_collector>> rest;
  std::vector<std::unique_ptr<msgbus::transport::feed>> feeds;
  feeds.push_back(at->subscribe("first", "", sink));
  for (int i = 0; i < 4; ++i) {
    rest.push_back(std::make_shared<ending_collector>());
    feeds.push_back(at->subscribe("rest" + std::to_string(i), "", rest.back()));
  }
  test.here.run(at->flush(time_limit));
  // when: the server restarts with a limit of three
  test.server.kill();
  test.server.configure("max_subscriptions: 3\n");
  test.server.restart();
  // then: only the last two end
  (void)rest[2]->ends.wait_for(1);
  (void)rest[3]->ends.wait_for(1);
  test.wait_for(kind::reconnected);
  check_talking(test, *at, *sink, "first");
  CHECK(rest[0]->ends.size() == 0);
  CHECK(rest[1]->ends.size() == 0);
}

TEST_CASE("a link whose subscription the server refuses ends, and the other links continue",
          "[B9]") {
  changing test("max_subscriptions: 2\n");
  // given: two links, as many as the server allows
  msgbus::async::subscriber to(test.here.executor());
  std::atomic<int> got{0};
  to.subscribe("first", [&](int) { ++got; });
  kept<std::string> failed;
  msgbus::bridge bridge(test.connect(), {.on_failure = [&](std::string_view where, const auto&) {
                          failed.add(std::string(where));
                        }});
  msgbus::inbound_options one;
  const auto first = bridge.inbound<int>(to, "first", one);
  const auto second = bridge.inbound<int>(to, "second", one);
  test.here.run(bridge.flush());
  // when: a third link is made
  const auto third = bridge.inbound<int>(to, "third", one);
  // then: it ends, and the first two continue
  test.here.run_until([&] { return !third.active(); });
  CHECK(failed.wait_for(1) == std::vector<std::string>{third.name()});
  CHECK(first.active());
  CHECK(second.active());
  test.wait_for(kind::reconnected);

  msgbus::bridge other(test.connect());
  msgbus::async::publisher from;
  other.outbound<int>(from, "first");
  test.here.run(from.publish(1, "first"));
  test.here.run_until([&] { return got == 1; });
}

TEST_CASE("only kept messages that are too large for the restarted server are given up", "[B9]") {
  changing test("max_payload: 4096\n");
  const auto at = test.connect();
  // given: a stream, and a connection that is away
  ensure_stream(test.here, *at, "ALL", {"a"});  // keeps the messages for a source
  test.server.kill();
  test.wait_for(kind::disconnected);
  // when: small and large messages are published meanwhile
  envelope message{"a"};
  std::set<std::string> small;
  for (int i = 0; i < 3; ++i) {
    message.payload.assign(2048, 'x');
    at->publish(message, urgency::at_once);
    message.payload = "small" + std::to_string(i);
    small.insert(message.payload);
    at->publish(message, urgency::at_once);
  }
  // when: the server restarts with a lower limit
  test.server.configure("max_payload: 1024\n");
  test.server.restart();
  test.wait_for(kind::reconnected);
  test.here.run(at->flush(time_limit));
  // then: only the large messages are given up
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.here.run(at->pull({.stream = "ALL", .durable = "all"}, sink));
  source->ask(10);
  std::set<std::string> got;
  for (const auto& each : sink->got.wait_for(3)) got.insert(each->message.payload);
  CHECK(got == small);
  CHECK(at->given_up() == 3);
  CHECK(test.count(kind::failed) == 3);
  CHECK_THAT(test.text_of(kind::failed), contains("2048 bytes") && contains("1024 at most"));
}

TEST_CASE(
    "only the message or subscription with a name that is too long for the server is given up",
    "[B9]") {
  changing test("max_control_line: 512\n");
  const auto at = test.connect();
  // given: a subscription, and a server with short control lines
  auto sink = std::make_shared<collector>();
  const auto feed = at->subscribe("a", "", sink);
  test.here.run(at->flush(time_limit));
  // when: a longer name is sent
  const std::string longer(1000, 'x');
  SECTION("of a message") {
    at->publish(envelope{longer}, urgency::at_once);
    test.wait_for(kind::reconnected);
  }
  SECTION("of a message that the server refuses while it is written") {
    envelope large{longer};
    large.payload.assign(1'000'000, 'x');
    at->publish(large, urgency::at_once);
    test.wait_for(kind::reconnected);
    // The message may end several connections before it is given up.
    const auto flushes = [&] { test.here.run(at->flush(time_limit)); };
    while (code_of(flushes) == errc::disconnected) {
    }
  }
  SECTION("of a subscription") {
    auto refused = std::make_shared<ending_collector>();
    const auto one_more = at->subscribe(longer, "", refused);
    const auto end = refused->ends.wait_for(1);
    CHECK_THAT(msgbus::describe(end[0]), contains("control line"));
    test.wait_for(kind::reconnected);
  }
  SECTION("of a group") {
    auto refused = std::make_shared<ending_collector>();
    const auto one_more = at->subscribe("b", longer, refused);
    (void)refused->ends.wait_for(1);
    test.wait_for(kind::reconnected);
  }
  // then: the first subscription continues
  check_talking(test, *at, *sink, "a");
}

TEST_CASE("a connection that the server closes at its limit reconnects when it may", "[B9]") {
  changing test("max_connections: 10\n");
  const auto at = test.connect();
  auto sink = std::make_shared<collector>();
  const auto feed = at->subscribe("a", "", sink);
  test.here.run(at->flush(time_limit));
  test.server.configure("max_connections: 1\n");
  test.server.reload();
  test.wait_for_text("maximum connections exceeded");
  test.server.configure("max_connections: 10\n");
  test.server.reload();
  test.wait_for(kind::reconnected);
  check_talking(test, *at, *sink, "a");
}

TEST_CASE("the last allowed attempt to reconnect ends the transport, after every kind of loss",
          "[B9]") {
  const std::string right = "authorization { user: me, password: right }\n";
  changing test(right);
  msgbus::nats::options options;
  options.user = "me";
  options.password = "right";
  options.max_reconnects = 3;
  const auto at = test.connect(options);
  auto sink = std::make_shared<collector>();
  const auto feed = at->subscribe("a", "", sink);
  test.here.run(at->flush(time_limit));
  test.server.configure("authorization { user: me, password: other }\n");
  test.server.reload();
  test.here.run_until([&] { return test.count(kind::closed) == 1; });
  CHECK(code_of([&] { at->publish(envelope{"a"}, urgency::bulk); }) == errc::disconnected);
  CHECK(code_of([&] { test.here.run(at->flush(time_limit)); }) == errc::disconnected);
}

}  // namespace nats_comes_back_test
