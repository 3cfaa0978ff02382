// Monitors of programs in trouble: stuck threads, odd names, destruction at any time.

#include <msgbus/monitor/monitor.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/error.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/monitor_scene.hpp"
#include "support/run_with.hpp"
#include "support/thrown.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace faults_test {

using msgbus::errc;
using msgbus::monitor;
using msgbus::monitor_options;
using msgbus::async::consumer;
using msgbus::async::dead_letters;
using msgbus::async::host;
using msgbus::async::producer;
using msgbus_test::client_of;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::generous;
using msgbus_test::hold;
using msgbus_test::quick;
using msgbus_test::status_of;
using msgbus_test::wait_for;
using scene = msgbus_test::monitor_scene;
using nlohmann::json;
using namespace std::chrono_literals;

// Not in the unnamed namespace, which their names would have.
struct order {
  int id = 0;
};
struct refund {
  int id = 0;
};

namespace {

/// A client that sends a request and does not read.
class deaf_client {
 public:
  explicit deaf_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const int little = 4096;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    const std::string request = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    REQUIRE(::send(socket_, request.data(), request.size(), 0) ==
            static_cast<ssize_t>(request.size()));
  }
  deaf_client(const deaf_client&) = delete;
  deaf_client& operator=(const deaf_client&) = delete;
  ~deaf_client() { ::close(socket_); }

 private:
  const int socket_;
};

/// Whether its only message was handled. The figures of a document are read one after the other, so
/// those of one moment may be in two documents.
bool has_ended(const json& component) {
  return component["handlers"][0]["running"] == 0 && component["totals"]["handled"] == 1;
}

const std::string odd_name =
    "odd \"name\" \\ \n \t <b>&amp;</b> ' `y` \xff \xe2\x80\xa8 \xf0\x9f\x9a\x80 </script>";

}  // namespace

TEST_CASE("a monitor answers while every thread is stuck in a handler, and says where") {
  scene at;
  consumer mail(at.pool.get_executor());
  at.all.add("mail", mail);
  hold release;
  const auto entered = std::make_shared<std::latch>(1);
  at.orders.handler([entered, wait = release.waiting()](const order&) {
    entered->count_down();
    wait();
  });
  const monitor page(at.all, quick());
  (void)wait_for(page, [](const json& each) { return each["stalled"].empty(); });
  REQUIRE(at.orders.post(order{1}).admitted);
  REQUIRE(mail.post(order{2}).admitted);
  entered->wait();
  const json stuck = wait_for(page, [](const json& each) {
    return !each["stalled"].empty() && !each["stalled"][0]["running"].empty() &&
           each["stalled"][0]["running"][0]["seconds"] > 0.05;
  });
  const json& stalled = stuck["stalled"][0];
  CHECK(stalled["executor"] == "thread_pool 1");
  CHECK(stalled["seconds"] >= 0.05);
  CHECK(stalled["components"] == json{"orders", "mail"});
  CHECK(stalled["running"][0]["component"] == "orders");
  CHECK(stalled["running"][0]["message"] == "faults_test::order");
  CHECK(stalled["running"][0]["count"] == 1);
  const auto has = [&](const char* kind) {
    return std::ranges::any_of(stuck["warnings"],
                               [&](const json& each) { return each["kind"] == kind; });
  };
  CHECK(has("stalled_executor"));
  for (const char* path : {"/metrics", "/graph.svg", "/describe.json", "/status.json"}) {
    CHECK(client_of(page).Get(path)->status == 200);
  }
  (void)wait_for(page, [](const json& each) {
    return std::ranges::any_of(each["warnings"],
                               [](const json& one) { return one["kind"] == "blocked_executor"; });
  });
  release.let_go();
  (void)wait_for(page, [](const json& each) {
    return each["stalled"].empty() && has_ended(each["components"][0]);
  });
}

TEST_CASE("a coroutine that waits is running, and keeps no thread") {
  scene at;
  msgbus_test::gate open;
  at.orders.handler([&](const order&) -> asio::awaitable<void> { co_await open.wait(); });
  const monitor page(at.all, quick());
  REQUIRE(at.orders.post(order{1}).admitted);
  const json now = wait_for(page, [](const json& each) {
    const json& handlers = each["components"][0]["handlers"];
    // On a busy machine the thread itself may be late for a while.
    return !handlers.empty() && handlers[0]["running"] == 1 && handlers[0]["running_for"] > 0.05 &&
           each["stalled"].empty();
  });
  CHECK(now["components"][0]["totals"]["handled"] == 0);
  open.open();
  (void)wait_for(page, [](const json& each) { return has_ended(each["components"][0]); });
}

TEST_CASE("a client that reads nothing delays nobody, and is cut off") {
  scene at;
  std::vector<std::unique_ptr<consumer>> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(std::make_unique<consumer>(at.pool.get_executor()));
    at.all.add("consumer " + std::to_string(i), *many.back());
  }
  monitor_options options = quick();
  options.max_streams = 1;
  const monitor page(at.all, options);
  const deaf_client deaf(page.port());
  auto client = client_of(page);
  const auto until = std::chrono::steady_clock::now() + generous;
  bool was_refused = false;
  bool was_served = false;
  while (!was_served && std::chrono::steady_clock::now() < until) {
    CHECK(client.Get("/status.json")->status == 200);
    int status = 0;
    (void)client.Get(
        "/events",
        [&](const httplib::Response& answer) {
          status = answer.status;
          return true;
        },
        [](const char*, std::size_t) { return false; });
    was_refused = was_refused || status == 503;
    was_served = was_refused && status == 200;
  }
  CHECK(was_refused);
  CHECK(was_served);
}

TEST_CASE("a thousand components are served, and each is there once") {
  scene at;
  std::vector<std::unique_ptr<consumer>> many;
  for (int i = 1; i < 1000; ++i) {
    many.push_back(std::make_unique<consumer>(at.pool.get_executor()));
    many.back()->handler([](const order&) {});
    at.all.add("consumer " + std::to_string(i), *many.back());
  }
  monitor_options options = quick();
  options.interval = 1s;
  const monitor page(at.all, options);
  const json now = wait_for(page, [](const json&) { return true; });
  CHECK(now["components"].size() == 1000);
  CHECK(now["nodes"].size() == 1000);
  CHECK(now["components"][999]["name"] == "consumer 999");
}

TEST_CASE("names and texts are escaped, whatever bytes they hold", "[O3]") {
  asio::thread_pool pool(1);
  host all(pool);
  consumer odd(pool.get_executor());
  const auto breaker =
      std::make_shared<msgbus::circuit_breaker>(msgbus::breaker_options{.name = odd_name});
  const auto letters = std::make_shared<dead_letters>();
  odd.handler([](const order&) { throw std::runtime_error(odd_name); },
              {.breaker = breaker, .dead_letters = letters});
  all.add(odd_name, odd);
  monitor_options options = quick();
  options.title = odd_name;
  const monitor page(all, options);
  REQUIRE(odd.post(order{1}).admitted);
  const json now =
      wait_for(page, [](const json& each) { return each["dead_letters"]["kept"] == 1; });
  CHECK_THAT(now["components"][0]["name"].get<std::string>(),
             contains("odd \"name\" \\ \n \t <b>"));
  CHECK(now["components"][0]["breakers"][0]["name"] == now["components"][0]["name"]);
  CHECK(now["title"] == now["components"][0]["name"]);
#ifdef MSGBUS_STATUS_SCHEMA
  CHECK(msgbus_test::run_with(MSGBUS_STATUS_SCHEMA, now.dump()) == 0);
#endif
  const std::string picture = client_of(page).Get("/graph.svg")->body;
  CHECK(picture.find("<b>") == std::string::npos);
  pool.join();
}

TEST_CASE("components, hosts and contexts may be destroyed before their monitor", "[A12]") {
  auto io = std::make_unique<asio::io_context>();
  auto all = std::make_unique<host>(*io);
  auto first = std::make_unique<consumer>(io->get_executor());
  auto second = std::make_unique<consumer>(io->get_executor());
  first->handler([](const order&) {});
  all->add("first", *first);
  all->add("second", *second);
  const monitor page(*all, quick());
  const auto shows = [&](std::size_t many) {
    return wait_for(page, [many](const json& each) { return each["components"].size() == many; });
  };
  (void)shows(2);
  first.reset();
  CHECK(shows(1)["components"][0]["name"] == "second");
  all.reset();
  CHECK(wait_for(page, [](const json& each) { return each["state"] == "ended"; })["components"]
            .size() == 1);
  io.reset();
  const json alone =
      wait_for(page, [](const json& each) { return each["components"][0]["executor"] == "none"; });
  CHECK(alone["stalled"].empty());
  second.reset();
  (void)shows(0);
}

TEST_CASE("a monitor may be destroyed at any time, and its components go on", "[A12]") {
  scene at;
  at.orders.handler([](const order&) {});
  hold release;
  for (int i = 0; i < 3; ++i) {
    std::optional<monitor> page(std::in_place, at.all, quick());
    const deaf_client deaf(page->port());
    (void)wait_for(*page, [](const json&) { return true; });
    REQUIRE(at.orders.post(order{i}).admitted);
    page.reset();
  }
  // While its probe waits in the queue of an executor.
  REQUIRE(at.orders.post(order{4}).admitted);
  at.orders.handler([wait = release.waiting()](const refund&) { wait(); });
  REQUIRE(at.orders.post(refund{1}).admitted);
  {
    const monitor page(at.all, quick());
    (void)wait_for(page, [](const json& each) { return !each["stalled"].empty(); });
  }
  release.let_go();
  at.pool.join();
  CHECK(at.orders.stats().handled == 5);
}

TEST_CASE("the state of a host is shown while it ends") {
  asio::io_context io;
  host all(io);
  consumer orders(io);
  all.add("orders", orders);
  const monitor page(all, quick());
  CHECK(status_of(page)["state"] == "serving");
  all.stop();
  CHECK(wait_for(page, [](const json& each) { return each["state"] != "serving"; })["state"] ==
        "ending");
  asio::co_spawn(io, all.run(), [](const std::exception_ptr& why, const auto&) { CHECK(!why); });
  io.run();
  const json now = wait_for(page, [](const json& each) { return each["state"] == "ended"; });
  CHECK(now["components"][0]["state"] == "closed");
}

TEST_CASE("a monitor leaves the program's signals as they are") {
  const auto of_sigpipe = [] {
    struct sigaction now{};
    ::sigaction(SIGPIPE, nullptr, &now);
    return now.sa_handler;
  };
  const auto before = of_sigpipe();
  sigset_t blocked_before{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked_before);
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &usual, nullptr);
  {
    scene at;
    const monitor page(at.all, quick());
    CHECK(of_sigpipe() == SIG_DFL);
    sigset_t blocked{};
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    CHECK(::sigismember(&blocked, SIGTERM) == ::sigismember(&blocked_before, SIGTERM));
    for (int i = 0; i < 3; ++i) {  // a client that has gone ends no program
      {
        const deaf_client gone(page.port());
      }
      (void)wait_for(page, [](const json&) { return true; });
    }
  }
  usual.sa_handler = before;
  ::sigaction(SIGPIPE, &usual, nullptr);
}

}  // namespace faults_test
