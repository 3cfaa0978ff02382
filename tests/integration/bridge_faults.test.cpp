// Bridges over a real server that dies, processes that die, and everybody in between.

#include <msgbus/nats/connect.hpp>

#include <msgbus/detail/exec/timer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace bridge_faults_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::errc;
using msgbus::remote_service;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using namespace msgbus_test;

namespace {

bridge join(loop& in, const nats_server& to, std::vector<std::string>* told = nullptr) {
  msgbus::nats::options how;
  how.url = to.url();
  msgbus::bridge_options bridging;
  bridging.on_failure = [told](std::string_view where, const std::exception_ptr& what) {
    if (told) told->push_back(std::string(where) + ": " + msgbus::describe(what));
  };
  return in.run(msgbus::nats::connect(in.executor(), how, bridging));
}

msgbus::durable_options billing() {
  msgbus::durable_options how;
  how.stream = "ORDERS";
  how.durable = "billing";
  how.ack_wait = 2s;
  how.max_deliver = 0;
  how.backoff = 20ms;
  return how;
}

void make_stream(loop& in, bridge& at, const std::string& name, const std::string& topic) {
  msgbus::transport::stream_options stream;
  stream.name = name;
  stream.topics = {topic};
  in.run(at.ensure_stream(stream));
}

std::string id_of(int number) { return "order-" + std::to_string(number); }

awaitable<void> store_one(bridge& at, int number) {
  msgbus::store_options how;
  how.message_id = id_of(number);
  how.timeout = patience;
  (void)co_await at.store(number, "orders.placed", how);
}

}  // namespace

TEST_CASE("components of two processes exchange messages over a real server", "[B1][B7]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  publisher orders;
  subscriber parcels(here.executor());
  std::vector<std::string> got;
  parcels.subscribe("orders.*", [&](const std::string& what, const context& about) {
    got.push_back(std::string(about.topic()) + " " + what +
                  (about.message_id() == about.correlation_id() ? "" : "?"));
  });
  back.inbound<std::string>(parcels, "orders.>");
  front.outbound<std::string>(orders, "orders.>");
  here.run(back.flush());
  std::string tea("tea");
  here.run(orders.publish(tea, "orders.placed"));
  (void)orders.post(std::string("cups"), "orders.paid");
  here.run_until([&] { return got.size() == 2; });
  CHECK(got == std::vector<std::string>{"orders.placed tea", "orders.paid cups"});
  here.run(front.drain(5s));
  here.run(back.drain(5s));
}

TEST_CASE("commands and their errors cross a real server, and other tools discover the service",
          "[B6]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  service users(here.executor());
  auto divide = users.handler("divide", [](int a, int b) {
    if (b == 0) throw std::domain_error("by zero");
    return a / b;
  });
  msgbus::serve_options how;
  how.name = "calculator";
  back.serve("calc", how, divide);
  here.run(back.flush());
  remote_service remote(front, "calc");
  CHECK(here.run(remote.execute<int>("divide", 7, 2)) == 3);
  const auto failure =
      caught<msgbus::remote_error>([&] { (void)here.run(remote.execute<int>("divide", 7, 0)); });
  CHECK(failure.kind() == "std::domain_error");
  CHECK(failure.text() == "by zero");
  CHECK(code_of([&] { here.run(remote.execute("multiply", 1, 2)); }) == errc::no_handler);
  CHECK(code_of([&] { here.run(remote.execute("divide", 1)); }) == errc::bad_arguments);
  const remote_service discovery(front, "$SRV");
  const auto stats = here.run(discovery.execute<nlohmann::json>("STATS.calculator"));
  CHECK(stats["endpoints"][0]["num_requests"] == 3);
  CHECK(stats["endpoints"][0]["num_errors"] == 2);
}

TEST_CASE("a pending call ends with disconnected when the server is killed, before its timeout",
          "[B6]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  service users(here.executor());
  gate opened;
  auto slow = users.handler("slow", [&]() -> awaitable<void> { co_await opened.wait(); });
  back.serve("users", slow);
  here.run(back.flush());
  msgbus::call_options patient;
  patient.timeout = 2 * deadline;  // the test would give up sooner
  const remote_service remote(front, "users", patient);
  auto waiting = here.start(remote.execute("slow"));
  here.run_until([&] { return opened.came() == 1; });
  server.kill();
  here.finish(waiting);
  CHECK(code_of([&] { waiting.get(); }) == errc::disconnected);
  opened.open();
}

TEST_CASE("messages and commands continue after the server was killed and is back", "[B1][B6]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
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
  server.kill();
  server.restart();
  // Whatever was lost on the way: what is sent from now on comes, as soon as both are back.
  int number = 0;
  while (got.empty()) {
    (void)orders.post(++number, "orders");
    auto turn = here.start(msgbus::exec::sleep(10ms));
    here.finish(turn);
    REQUIRE(number < 3000);
  }
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
  std::vector<std::string> told;
  bridge stores = join(here, server, &told);
  bridge handles = join(here, server, &told);
  make_stream(here, stores, "ORDERS", "orders.>");
  subscriber to(here.executor(), {.capacity = 64});
  std::map<std::string, int> handled;
  to.subscribe("orders.*", [&](int number, const context& about) -> awaitable<void> {
    co_await hop();
    CHECK(about.message_id() == id_of(number));
    ++handled[std::string(about.message_id())];
  });
  bridge_link in = here.run(handles.durable<int>(to, "orders.>", billing()));
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

TEST_CASE("a message that fails too often becomes a dead letter on a real server", "[B3]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  make_stream(here, at, "DEAD", "dead.>");
  subscriber to(here.executor());
  int attempts = 0;
  to.observe(std::make_shared<msgbus::observer>());
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::runtime_error("poison");
  });
  subscriber mourners(here.executor());
  std::string reason;
  mourners.subscribe("dead.*", [&](int number, const context& about) {
    CHECK(number == 13);
    reason = about.headers().at("Msgbus-Dead-Reason");
  });
  auto how = billing();
  how.max_deliver = 3;
  how.dead_letter = "dead.orders";
  bridge_link in = here.run(at.durable<int>(to, "orders.>", how));
  auto mourning = billing();
  mourning.stream = "DEAD";
  (void)here.run(at.durable<int>(mourners, "dead.>", mourning));
  here.run(store_one(at, 13));
  here.run_until([&] { return !reason.empty(); });
  here.run_until([&] { return in.stats().in_flight == 0; });
  CHECK(reason == "poison");
  CHECK(attempts == 3);
  CHECK(in.stats().dead_lettered == 1);
}

TEST_CASE("a handler that runs longer than ack_wait keeps its message", "[B3]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  make_stream(here, at, "DEAD", "dead.>");
  subscriber to(here.executor());
  to.observe(std::make_shared<msgbus::observer>());
  auto how = billing();
  how.ack_wait = 1s;
  how.max_deliver = 1;
  how.dead_letter = "dead.orders";
  int begun = 0;
  bool done = false;
  SECTION("the handler blocks the only thread") {
    to.subscribe("orders.*", [&](int) {
      ++begun;
      block_thread(3500ms);
      done = true;
    });
    bridge_link in = here.run(at.durable<int>(to, "orders.>", how));
    here.run(store_one(at, 1));
    here.run_until([&] { return done && in.stats().in_flight == 0; });
    here.run(at.flush());
    CHECK(in.stats().received == 1);
    CHECK(in.stats().acks == 1);
  }
  SECTION("the handler blocks the only thread and fails, with one dead letter") {
    to.subscribe("orders.*", [&](int) {
      ++begun;
      block_thread(3500ms);
      throw std::runtime_error("poison");
    });
    bridge_link in = here.run(at.durable<int>(to, "orders.>", how));
    here.run(store_one(at, 1));
    here.run_until([&] { return in.stats().dead_lettered == 1; });
    CHECK(in.stats().received == 1);
    // The next letter is the second one in its stream.
    msgbus::store_options next;
    next.message_id = "next";
    CHECK(here.run(at.store(2, "dead.orders", next)).sequence == 2);
  }
  SECTION("the handler awaits") {
    to.subscribe("orders.*", [&](int) -> awaitable<void> {
      ++begun;
      co_await msgbus::exec::sleep(2500ms);
      done = true;
    });
    bridge_link in = here.run(at.durable<int>(to, "orders.>", how));
    here.run(store_one(at, 1));
    here.run_until([&] { return done && in.stats().in_flight == 0; });
    CHECK(in.stats().acks == 1);
  }
  CHECK(begun == 1);
}

TEST_CASE("a burst is handled with the smallest buffers, and nothing waits for ever", "[B1]") {
  constexpr int many = 400;
  nats_server server;
  loop here;
  bridge from_there = join(here, server);
  bridge to_here = join(here, server);
  publisher orders;
  subscriber to(here.executor(), {.capacity = 1});
  std::vector<int> seen;
  to.subscribe("orders", [&](int number) { seen.push_back(number); });
  msgbus::inbound_options little;
  little.buffer = 1;
  bridge_link in = to_here.inbound<int>(to, "orders", little);
  from_there.outbound<int>(orders, "orders");
  here.run(to_here.flush());
  for (int i = 0; i < many; ++i) (void)orders.post(i, "orders");
  here.run_until([&] { return seen.size() == many; });
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(in.stats().dropped == 0);
}

TEST_CASE("a handler gets the stream position of its message on a real server", "[B2]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  for (int i = 0; i < 2; ++i) here.run(store_one(at, i));
  subscriber to(here.executor());
  std::vector<std::string> places;
  to.subscribe("orders.*", [&](int, const msgbus::context& about) {
    const auto place = about.stored();
    places.push_back(place ? std::string(place->stream) + ' ' + std::to_string(place->sequence)
                           : std::string("nowhere"));
  });
  bridge_link in = here.run(at.durable<int>(to, "orders.>", billing()));
  here.run_until([&] { return places.size() == 2; });
  CHECK(places == std::vector<std::string>{"ORDERS 1", "ORDERS 2"});
}

// A server before 2.10 writes a consumer's state over the old one: killed meanwhile, it has none.
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
  subscriber to(here.executor());
  std::map<int, std::vector<unsigned>> attempts;
  std::size_t runs = 0;
  to.subscribe("orders.*", [&](int number, const msgbus::context& about) {
    attempts[number].push_back(about.attempt());
    ++runs;
  });
  bridge_link in = here.run(at.durable<int>(to, "orders.>", billing()));
  for (std::size_t i = 0; i < many; ++i) here.run(store_one(at, static_cast<int>(i)));
  here.run_until([&] { return in.stats().acks == many; });
  server.terminate();  // so there is a state to lose
  lose_consumers(server);
  server.restart();
  here.run_until([&] { return runs >= 2 * many && in.stats().in_flight == 0; });
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
  std::vector<std::string> told;
  bridge stores = join(here, server, &told);
  make_stream(here, stores, "ORDERS", "orders.>");
  for (std::size_t i = 0; i < many; ++i) here.run(store_one(stores, static_cast<int>(i)));
  auto how = billing();
  how.max_deliver = 2;
  std::set<int> handled;  // one that crosses the end of a process may come twice
  for (int restart = 0; restart < 3; ++restart) {
    bridge process = join(here, server, &told);
    subscriber to(here.executor());
    bool begun = false;
    to.subscribe("orders.*", [&](int) -> awaitable<void> {
      begun = true;
      co_await msgbus::exec::sleep(60s);
    });
    bridge_link in = here.run(process.durable<int>(to, "orders.>", how));
    // A machine that stands still for longer than the patience gets some once more.
    here.run_until([&] { return begun && in.stats().received >= many; });
    here.run(to.drain(10ms));
    here.run(process.drain(5s));
    CHECK(in.stats().dead_lettered == 0);
    CHECK(in.stats().acks == 0);
  }
  bridge process = join(here, server, &told);
  subscriber to(here.executor());
  to.subscribe("orders.*", [&](int number) { handled.insert(number); });
  bridge_link in = here.run(process.durable<int>(to, "orders.>", how));
  here.run_until([&] { return handled.size() == many && in.stats().in_flight == 0; });
  CHECK(in.stats().dead_lettered == 0);
  CHECK(told.empty());
}

TEST_CASE(
    "a message that a full mailbox drops is redelivered when there is space, on a real server",
    "[B2][B3]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  subscriber to(here.executor(), {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  gate gate;
  std::set<int> handled;
  to.subscribe("orders.*", [&](int number) -> awaitable<void> {
    co_await gate.wait();
    handled.insert(number);
  });
  auto how = billing();
  how.max_deliver = 2;
  how.max_in_flight = 8;
  bridge_link in = here.run(at.durable<int>(to, "orders.>", how));
  for (int i = 0; i < 3; ++i) here.run(store_one(at, i));
  here.run_until([&] { return in.stats().naks > 4; });
  gate.open();
  here.run_until([&] { return in.stats().acks == 3; });
  CHECK(handled == std::set<int>{0, 1, 2});
  CHECK(in.stats().dead_lettered == 0);
}

TEST_CASE("each durable has its own dead letter on a real server, with the reason of the failure",
          "[B2]") {
  nats_server server;
  loop here;
  std::vector<std::string> told;
  bridge at = join(here, server, &told);
  make_stream(here, at, "ORDERS", "orders.>");
  subscriber to(here.executor());
  to.observe(std::make_shared<msgbus::observer>());
  int attempts = 0;
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::domain_error("");
  });
  auto how = billing();
  how.max_deliver = 1;
  how.max_backoff = 100ms;
  how.dead_letter = "dead.orders";
  bridge_link one = here.run(at.durable<int>(to, "orders.>", how));
  how.durable = "shipping";
  bridge_link two = here.run(at.durable<int>(to, "orders.>", how));
  here.run(store_one(at, 13));
  // There is no stream for it yet.
  here.run_until([&] { return told.size() >= 2; });
  CHECK(attempts == 2);
  make_stream(here, at, "DEAD", "dead.>");
  subscriber mourners(here.executor());
  std::set<std::string> letters;
  mourners.subscribe("dead.*", [&](int, const context& about) {
    letters.insert(about.headers().at("Msgbus-Dead-Durable"));
    CHECK(about.headers().at("Msgbus-Dead-Reason") ==
          "an exception without text (std::domain_error)");
    CHECK(about.headers().at("Msgbus-Attempt") == "1");
  });
  auto mourning = billing();
  mourning.stream = "DEAD";
  (void)here.run(at.durable<int>(mourners, "dead.>", mourning));
  here.run_until([&] { return letters.size() == 2; });
  here.run_until([&] { return one.stats().dead_lettered + two.stats().dead_lettered == 2; });
  CHECK(attempts == 2);  // not handled again for it
}

TEST_CASE("a dead letter above the server's limit is stored without its payload", "[B2]") {
  nats_server server;
  loop here;
  std::vector<std::string> told;
  bridge at = join(here, server, &told);
  make_stream(here, at, "ORDERS", "orders.>");
  make_stream(here, at, "DEAD", "dead.>");
  subscriber to(here.executor());
  to.observe(std::make_shared<msgbus::observer>());
  to.subscribe("orders.*", [&](const std::string&) { throw std::runtime_error("poison"); });
  auto how = billing();
  how.max_deliver = 1;
  how.dead_letter = "dead.orders";
  bridge_link in = here.run(at.durable<std::string>(to, "orders.>", how));
  const std::string large(1024 * 1024 - 200, 'x');  // with its own headers it is just small enough
  msgbus::store_options with;
  with.message_id = "large";
  here.run(at.store(large, "orders.placed", with));
  here.run_until([&] { return in.stats().dead_lettered == 1; });
  CHECK(in.stats().shortened == 1);
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], contains("shortened dead letter"));
}

namespace {

// Runs the worker until it ends or dies, and gives the ids that it says it has handled.
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
  for (int i = 0; i < many; ++i) here.run(store_one(stores, i));
  std::map<std::string, int> times;
  for (const int dies_at : {1, 10, 25}) {
    const auto handled = run_worker(server, dies_at);
    CHECK(handled.size() == static_cast<std::size_t>(dies_at));
    for (const std::string& each : handled) ++times[each];
  }
  // The last one ends by itself, once nothing has come for a while.
  for (const std::string& each : run_worker(server, 0)) ++times[each];
  CHECK(times.size() == many);
  int duplicates = 0;
  for (const auto& each : times) duplicates += each.second - 1;
  CHECK(duplicates >= 3);  // each that died had handled one that it never came to settle
}

TEST_CASE("a message that is too large for the server is an error for its caller, at once",
          "[B6]") {
  const nats_server server;
  loop here;
  std::vector<std::string> told;
  bridge front = join(here, server);
  bridge back = join(here, server, &told);
  service commands(here.executor());
  auto report = commands.handler("report", [](std::size_t n) { return std::string(n, 'x'); });
  auto note = commands.handler("note", [](const std::string&) {});
  msgbus::serve_options how;
  how.name = "reports";
  how.description.assign(std::size_t{1} << 20, 'x');
  auto served = back.serve("reports", how, report, note);
  here.run(back.flush());
  // An answer that does not come fails the test: `run` does not wait for so long.
  const remote_service reports(front, "reports", {.timeout = 2 * patience});
  const remote_service discovery(front, "$SRV", {.timeout = 2 * patience});
  const auto refused = [&](awaitable<std::string> call) {
    return msgbus::describe(thrown_by([&] { here.run(std::move(call)); }));
  };
  CHECK(here.run(reports.execute<std::string>("report", 1000)).size() == 1000);
  CHECK_THAT(refused(reports.execute<std::string>("report", 1 << 20)),
             contains("the result of operation 'report' cannot be sent: "));
  CHECK_THAT(refused(discovery.execute<std::string>("INFO.reports")),
             contains("the reply to a discovery request cannot be sent: "));
  CHECK_THAT(refused(reports.execute<std::string>("note", std::string(1 << 20, 'x'))),
             contains("1048576 at most"));
  CHECK(served.stats().unsent == 2);
  CHECK(told.size() == 2);
}

}  // namespace bridge_faults_test
