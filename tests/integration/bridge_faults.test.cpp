// Bridges whose server or whose process is killed.

#include "support/nats_bridges.hpp"

#include <msgbus/detail/exec/timer.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace bridge_faults_test {

using namespace msgbus_test;

TEST_CASE("a pending call ends with disconnected when the server is killed, before its timeout",
          "[B6]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  // given: a remote operation that does not end
  service users(here.executor());
  gate opened;
  auto slow = users.handler("slow", [&]() -> awaitable<void> { co_await opened.wait(); });
  back.serve("users", slow);
  here.run(back.flush());
  // when: the server is killed during a call
  msgbus::call_options patient;
  patient.timeout = 2 * deadline;  // later than the test's own deadline
  const remote_service remote(front, "users", patient);
  auto waiting = here.start(remote.execute("slow"));
  here.run_until([&] { return opened.came() == 1; });
  server.kill();
  here.finish(waiting);
  // then: the call ends with disconnected
  CHECK(code_of([&] { waiting.get(); }) == errc::disconnected);
  opened.open();
}

TEST_CASE("messages and commands continue after the server was killed and is back", "[B1][B6]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  // given: a message link and a remote service over one server
  publisher orders;
  subscriber parcels(here.executor());
  std::set<int> got;
  parcels.subscribe("orders", [&](int number) { got.insert(number); });
  service users(here.executor());
  auto echo = users.handler("echo", [](int a) { return a; });
  back.inbound<int>(parcels, "orders");
  front.outbound<int>(orders, "orders");
  back.serve("users", echo);
  here.run(back.flush());
  msgbus::call_options quick;
  quick.timeout = 500ms;
  remote_service remote(front, "users", quick);
  CHECK(here.run(remote.execute<int>("echo", 1)) == 1);
  // when: the server is killed and restarted
  server.kill();
  server.restart();
  // Earlier messages may be lost. Messages that are sent after both bridges are back arrive. then:
  // messages arrive again
  int number = 0;
  while (got.empty()) {
    (void)orders.post(++number, "orders");
    auto turn = here.start(msgbus::exec::sleep(10ms));
    here.finish(turn);
    REQUIRE(number < 3000);
  }
  // then: calls succeed again
  int answer = 0;
  for (int tries = 0; answer != 7 && tries < 60; ++tries) {
    try {
      answer = here.run(remote.execute<int>("echo", 7));
    } catch (const msgbus::error& e) {
      const auto code = e.code();
      CHECK((code == errc::timed_out || code == errc::no_handler || code == errc::disconnected));
    }
  }
  CHECK(answer == 7);
}

TEST_CASE("stored messages are handled, even if the server is killed repeatedly", "[B2][B5]") {
  constexpr int many = 400;
  nats_server server;
  loop here;
  std::vector<std::string> failures;
  bridge stores = join(here, server, &failures);
  bridge handles = join(here, server, &failures);
  make_stream(here, stores, "ORDERS", "orders.>");
  // given: a durable link to a handler that counts messages
  subscriber to(here.executor(), {.capacity = 64});
  std::map<std::string, int> handled;
  to.subscribe("orders.*", [&](int number, const context& ctx) -> awaitable<void> {
    co_await hop();
    CHECK(ctx.message_id() == id_of(number));
    ++handled[std::string(ctx.message_id())];
  });
  bridge_link in = here.run(handles.durable<int>(to, "orders.>", billing_durable()));
  // when: the server is killed repeatedly while messages are stored
  int acknowledged = 0;
  const auto feed = [&]() -> awaitable<void> {
    for (int i = 0; i < many; ++i) {
      co_await store_one(stores, i);
      ++acknowledged;
    }
  };
  auto feeding = here.start(feed());
  for (int kills = 1; kills <= 3; ++kills) {
    here.run_until([&] { return acknowledged >= kills * many / 4; });
    server.kill();
    server.restart();
  }
  here.finish(feeding);
  feeding.get();
  // then: every message is handled, and the counters agree
  here.run_until([&] { return handled.size() == many; });
  here.run_until([&] { return in.stats().in_flight == 0; });
  const auto counted = in.stats();
  CHECK(counted.received == counted.admitted + counted.undecodable + counted.refused);
  CHECK(counted.received ==
        counted.acks + counted.naks + counted.dead_lettered + counted.unsettled);
  std::size_t times = 0;
  for (const auto& each : handled) times += static_cast<std::size_t>(each.second);
  CHECK(times == to.stats().handled);
  CHECK(counted.acks + counted.unsettled == times);
  CHECK(counted.dead_lettered == 0);
  here.run(handles.drain(10s));
  here.run(stores.drain(10s));
}

// A server before 2.10 overwrites a consumer's state in place. If it is killed meanwhile, it has
// none.
void lose_consumers(const nats_server& of) {
  std::size_t lost = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(of.folder())) {
    if (each.path().filename() != "o.dat") continue;
    std::filesystem::resize_file(each.path(), 0);
    ++lost;
  }
  REQUIRE(lost > 0);
}

TEST_CASE("a delivery that the server does not count any more is no first attempt", "[B2]") {
  constexpr std::size_t many = 20;
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  // given: messages that were delivered and acknowledged
  subscriber to(here.executor());
  std::map<int, std::vector<unsigned>> attempts;
  std::size_t runs = 0;
  to.subscribe("orders.*", [&](int number, const context& ctx) {
    attempts[number].push_back(ctx.attempt());
    ++runs;
  });
  bridge_link in = here.run(at.durable<int>(to, "orders.>", billing_durable()));
  for (std::size_t i = 0; i < many; ++i) here.run(store_one(at, static_cast<int>(i)));
  here.run_until([&] { return in.stats().acks == many; });
  // when: the server loses the state of its consumers, and redelivers
  server.terminate();  // writes the state
  lose_consumers(server);
  server.restart();
  here.run_until([&] { return runs >= 2 * many && in.stats().in_flight == 0; });
  // then: each later delivery counts as another attempt
  for (const auto& [number, each] : attempts) {
    INFO(number);
    CHECK(each.front() == 1);
    CHECK(std::all_of(each.begin() + 1, each.end(), [](unsigned one) { return one > 1; }));
  }
  CHECK(in.stats().redelivered >= many);
}

TEST_CASE("orderly restarts use up no attempts on a real server", "[B2][B3][B8]") {
  constexpr std::size_t many = 100;
  nats_server server;
  loop here;
  std::vector<std::string> failures;
  bridge stores = join(here, server, &failures);
  make_stream(here, stores, "ORDERS", "orders.>");
  // given: stored messages, and a link with 2 attempts
  for (std::size_t i = 0; i < many; ++i) here.run(store_one(stores, static_cast<int>(i)));
  auto options = billing_durable();
  options.max_deliver = 2;
  std::set<int> handled;  // a message may be handled twice at the end of a process
  // when: a process is drained 3 times before a handler has ended
  for (int restart = 0; restart < 3; ++restart) {
    bridge process = join(here, server, &failures);
    subscriber to(here.executor());
    bool begun = false;
    to.subscribe("orders.*", [&](int) -> awaitable<void> {
      begun = true;
      co_await msgbus::exec::sleep(60s);
    });
    bridge_link in = here.run(process.durable<int>(to, "orders.>", options));
    // On a machine that stops for longer than ack_wait, some are redelivered.
    here.run_until([&] { return begun && in.stats().received >= many; });
    here.run(to.drain(10ms));
    here.run(process.drain(5s));
    CHECK(in.stats().dead_lettered == 0);
    CHECK(in.stats().acks == 0);
  }
  // then: the next process handles every message
  bridge process = join(here, server, &failures);
  subscriber to(here.executor());
  to.subscribe("orders.*", [&](int number) { handled.insert(number); });
  bridge_link in = here.run(process.durable<int>(to, "orders.>", options));
  here.run_until([&] { return handled.size() == many && in.stats().in_flight == 0; });
  CHECK(in.stats().dead_lettered == 0);
  CHECK(failures.empty());
}

namespace {

// Runs the worker until it ends or is killed. Returns the ids of the messages that it has handled.
std::vector<std::string> run_worker(const nats_server& server, int dies_at) {
  const std::string line = std::string(MSGBUS_TEST_WORKER) + " " + server.url() + " " +
                           std::to_string(dies_at) + " 2>&1";
  std::vector<std::string> handled;
  FILE* const out = ::popen(line.c_str(), "r");
  if (!out) throw std::runtime_error("no worker");
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), out)) {
    text.append(part.data(), size);
  }
  ::pclose(out);
  std::istringstream lines(text);
  for (std::string each; std::getline(lines, each);) {
    if (each.starts_with("order-")) handled.push_back(each);
  }
  return handled;
}

}  // namespace

TEST_CASE("a process that is killed between handling and settling loses nothing", "[B2]") {
  constexpr int many = 60;
  nats_server server;
  loop here;
  bridge stores = join(here, server);
  make_stream(here, stores, "ORDERS", "orders.>");
  // given: stored messages
  for (int i = 0; i < many; ++i) here.run(store_one(stores, i));
  std::map<std::string, int> times;
  // when: worker processes are killed after some messages
  for (const int dies_at : {1, 10, 25}) {
    const auto handled = run_worker(server, dies_at);
    CHECK(handled.size() == static_cast<std::size_t>(dies_at));
    for (const std::string& each : handled) ++times[each];
  }
  // The last worker ends when no message has arrived for a while.
  for (const std::string& each : run_worker(server, 0)) ++times[each];
  // then: every message was handled, some of them twice
  CHECK(times.size() == many);
  int duplicates = 0;
  for (const auto& each : times) duplicates += each.second - 1;
  CHECK(duplicates >= 3);  // each killed worker had handled one message that it did not settle
}

}  // namespace bridge_faults_test
