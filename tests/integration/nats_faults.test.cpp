#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <atomic>
#include <set>

namespace nats_faults_test {

using namespace msgbus_test;
using msgbus::errc;
using msgbus::transport::urgency;
using kind = msgbus::nats::event::kind;

namespace {

/// A server that may be killed and restarted, and a transport whose events are recorded.
struct shaky {
  transport_ptr connect() {
    msgbus::nats::options options;
    options.url = server.url();
    options.reconnect_wait = 20ms;
    options.on_event = [this](const msgbus::nats::event& event) { events.push_back(event); };
    return msgbus_test::connect(here, options);
  }
  void wait_for(kind event, std::size_t times = 1) {
    here.run_until([&] { return count(event) >= times; });
  }
  [[nodiscard]] std::size_t count(kind event) const {
    std::size_t found = 0;
    for (const auto& each : events) found += each.what == event;
    return found;
  }

  nats_server server;
  loop here;
  std::vector<msgbus::nats::event> events;
};

struct totals {
  int stored = 0;
  int duplicates = 0;
};

// Stores every `step`th number from `first` on, with retries; counts after each.
asio::awaitable<void> store_all(transport_ptr at, int first, int last, int step, totals* count) {
  for (int i = first; i < last; i += step) {
    msgbus::envelope message = numbered_message("orders.a", i);
    const auto done = co_await at->store(std::move(message), time_limit);
    ++count->stored;
    count->duplicates += done.duplicate;
  }
}

}  // namespace

TEST_CASE("a lost connection comes back with its subscriptions, and is reported") {
  shaky test;
  // given: a subscription of another transport
  const auto from = test.connect();
  const auto to = connect(test.here, {.url = test.server.url(), .reconnect_wait = 20ms});
  auto sink = std::make_shared<collector>();
  const auto feed = to->subscribe("a", "", sink);
  test.here.run(to->flush(time_limit));

  // when: the server is killed, and a message published meanwhile
  test.server.kill();
  test.wait_for(kind::disconnected);
  msgbus::envelope kept{"a"};
  kept.payload = "kept";
  from->publish(kept, urgency::bulk);  // sent when the connection is back
  test.server.restart();
  test.wait_for(kind::reconnected);
  test.here.run(to->flush(time_limit));
  test.here.run(from->flush(time_limit));

  // then: later messages arrive, and the loss was reported
  msgbus::envelope after{"a"};
  after.payload = "after";
  from->publish(after, urgency::bulk);
  std::set<std::string> got;
  while (got.count("after") == 0) {
    for (const auto& each : sink->got.wait_for(1)) got.insert(each.payload);
  }
  CHECK(test.count(kind::disconnected) >= 1);
  CHECK_THAT(test.events.front().text, contains(test.server.address()));
}

TEST_CASE("a publish does not fail while the connection is being lost", "[B9]") {
  shaky test;
  const auto at = test.connect();
  for (std::size_t round = 1; round <= 5; ++round) {
    // Continuous writes, so one of them is often the first to notice the loss. given: a thread that
    // publishes continuously
    thread_group writer;
    writer.repeat([&, full = false]() mutable {
      if (full) return;
      const auto refused = code_of([&] { at->publish(msgbus::envelope{"a"}, urgency::at_once); });
      full = refused == errc::full;  // any number of writes may precede the event
      if (refused && !full) throw std::system_error(refused);
    });
    writer.wait_for_turns(1);
    // when: the server is killed and restarted
    test.server.kill();
    test.wait_for(kind::disconnected, round);
    writer.stop();
    test.server.restart();
    test.wait_for(kind::reconnected, round);
  }
  // then: no publish has failed
  CHECK(at->given_up() == 0);
}

TEST_CASE("requests work again after the server was killed") {
  shaky test;
  const auto at = test.connect();
  test.server.kill();
  test.wait_for(kind::disconnected);
  test.server.restart();
  test.wait_for(kind::reconnected);
  const std::string inbox = at->new_inbox();
  auto answers = std::make_shared<collector>();
  const auto feed = at->subscribe(inbox, "", answers);
  msgbus::envelope request{"nobody"};
  request.reply_to = inbox;
  at->publish(request, urgency::at_once);
  CHECK(answers->got.wait_for(1).size() == 1);
}

TEST_CASE("a message beyond the buffer of a connection that is away is refused") {
  shaky test;
  // given: a connection with a small buffer
  msgbus::nats::options options;
  options.url = test.server.url();
  options.reconnect_buffer = 1000;
  bool lost = false;
  options.on_event = [&](const msgbus::nats::event&) { lost = true; };
  const auto at = connect(test.here, options);
  // when: its server is killed
  test.server.kill();
  test.here.run_until([&] { return lost; });
  msgbus::envelope message{"a"};
  message.payload.assign(300, 'x');
  // The first event may be that of the other connection. This one accepts messages, or fails, until
  // its own loss is noticed. then: a publish throws full when the buffer is full
  std::error_code refused;
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (refused != errc::full && std::chrono::steady_clock::now() < until) {
    refused = code_of([&] { at->publish(message, urgency::bulk); });
  }
  CHECK(refused == errc::full);
}

TEST_CASE("a connection that is given up is reported, and refuses with 'disconnected'") {
  shaky test;
  // given: a transport with 2 attempts to reconnect, and a source
  msgbus::nats::options options;
  options.url = test.server.url();
  options.max_reconnects = 2;
  options.reconnect_wait = 10ms;
  bool over = false;
  options.on_event = [&](const msgbus::nats::event& event) {
    over = over || event.what == kind::closed;
  };
  const auto at = connect(test.here, options);
  ensure_stream(test.here, *at, "ORDERS", {"orders.>"});
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
  source->ask(1);
  // when: the server is killed for good
  test.server.kill();
  test.here.run_until([&] { return over; });
  // then: the source ends, and all operations throw disconnected
  const auto end = sink->ends.wait_for(1);
  CHECK(code_of([&] { std::rethrow_exception(end[0]); }) == errc::disconnected);
  CHECK(code_of([&] { at->publish(msgbus::envelope{"a"}, urgency::bulk); }) == errc::disconnected);
  CHECK(code_of([&] { test.here.run(at->flush(time_limit)); }) == errc::disconnected);
  CHECK(code_of([&] { test.here.run(at->store(numbered_message("orders.a", 1), time_limit)); }) ==
        errc::disconnected);
}

TEST_CASE("no stored message is missing after the server was killed meanwhile") {
  shaky test;
  const auto at = test.connect();
  // given: coroutines that store messages
  ensure_stream(test.here, *at, "ORDERS", {"orders.>"});
  constexpr int coroutines = 64;
  constexpr int count = 6400;
  totals total;
  std::vector<msgbus::testing::spawned<void>> running;
  for (int i = 0; i < coroutines; ++i) {
    running.push_back(test.here.start(store_all(at, i, count, coroutines, &total)));
  }
  // when: the server is killed and restarted meanwhile
  for (int round = 1; round <= 3; ++round) {
    test.here.run_until([&] { return total.stored >= round * count / 5; });
    test.server.kill();
    test.server.restart();
  }
  // then: every store completes
  for (const auto& each : running) test.here.finish(each);
  for (auto& each : running) each.get();
  CHECK(total.stored == count);

  // then: the stream has every message once
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
  source->ask(count + 1);
  std::set<std::string> kept;
  const auto got = sink->got.wait_for(count);
  for (const auto& each : got) kept.insert(each->message.payload);
  CHECK(kept.size() == count);
  test.here.run(at->flush(time_limit));
  CHECK(sink->got.size() == 0);  // no duplicates
}

TEST_CASE("all messages are delivered although the server is killed during the pull") {
  shaky test;
  const auto at = test.connect();
  // given: a stream with messages
  ensure_stream(test.here, *at, "ORDERS", {"orders.>"});
  constexpr std::size_t count = 2000;
  totals total;
  std::vector<msgbus::testing::spawned<void>> running;
  for (int i = 0; i < 50; ++i) {
    running.push_back(test.here.start(store_all(at, i, count, 50, &total)));
  }
  for (const auto& each : running) test.here.finish(each);
  // when: the server is killed and restarted while a source pulls them
  auto sink = std::make_shared<delivery_collector>();
  const auto source =
      test.here.run(at->pull({.stream = "ORDERS", .durable = "all", .ack_wait = 1s}, sink));
  std::set<std::string> handled;
  std::size_t kills = 0;
  while (handled.size() < count) {
    source->ask(25);
    for (const auto& each : sink->got.wait_for(1)) {
      handled.insert(each->message.payload);
      each->ack();
    }
    if (kills < 3 && handled.size() > (kills + 1) * count / 4) {
      ++kills;
      test.server.kill();
      test.server.restart();
    }
  }
  // then: all were delivered, and the source continues
  CHECK(kills == 3);
  CHECK(sink->ends.size() == 0);
}

TEST_CASE("a source whose stream was deleted ends, and the error names the stream") {
  shaky test;
  const auto at = test.connect();
  ensure_stream(test.here, *at, "ORDERS", {"orders.>"}, true);
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
  source->ask(1);
  test.server.kill();  // deletes streams in memory
  test.server.restart();
  const auto end = sink->ends.wait_for(1);
  CHECK_THAT(msgbus::describe(end[0]), contains("ORDERS") && contains("not found"));
}

TEST_CASE("waits for a silent server end in time") {
  shaky test;
  const auto at = test.connect();
  ensure_stream(test.here, *at, "ORDERS", {"orders.>"});
  test.server.freeze();
  CHECK(code_of([&] { test.here.run(at->flush(100ms)); }) == errc::timed_out);
  CHECK(code_of([&] { test.here.run(at->store(numbered_message("orders.a", 1), 100ms)); }) ==
        errc::timed_out);
  test.server.thaw();
  test.here.run(at->flush(time_limit));
}

TEST_CASE("a store that timed out may be tried again, and is stored once") {
  shaky test;
  const auto at = test.connect();
  ensure_stream(test.here, *at, "ORDERS", {"orders.>"});
  test.server.freeze();
  CHECK_THROWS(test.here.run(at->store(numbered_message("orders.a", 1), 100ms)));
  test.server.thaw();
  const auto done = test.here.run(at->store(numbered_message("orders.a", 1), time_limit));
  CHECK(done.sequence == 1);
  CHECK(done.duplicate);  // the first attempt has arrived
}

}  // namespace nats_faults_test
