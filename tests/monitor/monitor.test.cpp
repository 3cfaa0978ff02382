#include <msgbus/monitor/monitor.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/error.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
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

#ifdef MSGBUS_STATUS_SCHEMA
#include <sys/wait.h>
#endif

namespace monitor_test {

using msgbus::errc;
using msgbus::monitor;
using msgbus::monitor_options;
using msgbus::async::consumer;
using msgbus::async::dead_letters;
using msgbus::async::host;
using msgbus::async::producer;
using msgbus_test::code_of;
using msgbus_test::contains;
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

constexpr auto generous = 60s;

monitor_options quick() {
  monitor_options options;
  options.interval = 10ms;
  options.stalled_after = 50ms;
  return options;
}

httplib::Client client_of(const monitor& of) { return httplib::Client("127.0.0.1", of.port()); }

json status_of(const monitor& of) {
  auto client = client_of(of);
  const auto answer = client.Get("/status.json");
  REQUIRE(answer);
  REQUIRE(answer->status == 200);
  return json::parse(answer->body);
}

/// The first document of the stream for which this holds.
json wait_for(const monitor& of, const std::function<bool(const json&)>& holds) {
  auto client = client_of(of);
  std::string rest;
  json last;
  bool found = false;
  const auto until = std::chrono::steady_clock::now() + generous;
  (void)client.Get("/events", [&](const char* data, std::size_t size) {
    rest.append(data, size);
    for (std::size_t end = rest.find("\n\n"); end != std::string::npos; end = rest.find("\n\n")) {
      const std::string event = rest.substr(0, end);
      rest.erase(0, end + 2);
      if (!event.starts_with("data: ")) continue;
      last = json::parse(event.substr(6));
      found = holds(last);
      if (found) return false;
    }
    return std::chrono::steady_clock::now() < until;
  });
  if (!found) FAIL("it never came, at last: " << last.dump(1));
  return last;
}

#ifdef MSGBUS_STATUS_SCHEMA
bool is_valid(const std::string& text) {
  std::FILE* const program = popen(MSGBUS_STATUS_SCHEMA, "w");
  REQUIRE(program);
  CHECK(std::fwrite(text.data(), 1, text.size(), program) == text.size());
  return WEXITSTATUS(pclose(program)) == 0;
}
#endif

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

/// Components that one thread runs.
struct scene {
  asio::thread_pool pool{1};
  host all{pool};
  consumer orders{pool.get_executor()};

  scene() { all.add("orders", orders); }
  ~scene() { pool.join(); }
};

/// One stream, from its begin to its end, before all other requests: cpp-httplib makes static
/// variables with its first ones, and their guards are in a library that ThreadSanitizer does not
/// see into.
const bool has_streamed_once = [] {
  asio::io_context context;
  host all(context);
  std::optional<monitor> page(std::in_place, all, quick());
  auto client = client_of(*page);
  std::latch begun(1);
  std::thread reading([&] {
    bool is_first = true;
    const auto note = [&] {
      if (std::exchange(is_first, false)) begun.count_down();
      return true;
    };
    (void)client.Get("/events", [&](const char*, std::size_t) { return note(); });
    note();
  });
  begun.wait();
  page.reset();
  reading.join();
  return true;
}();

const std::string odd_name =
    "odd \"name\" \\ \n \t <b>&amp;</b> ' `y` \xff \xe2\x80\xa8 \xf0\x9f\x9a\x80 </script>";

}  // namespace

TEST_CASE("each address gives what it is for, and says so") {
  scene at;
  at.orders.handler([](const order&) {});
  producer sender;
  sender.bind(at.orders);
  const monitor page(at.all, quick());
  auto client = client_of(page);
  const auto get = [&](const char* path, const httplib::Headers& with = {}) {
    const auto answer = client.Get(path, with);
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->get_header_value("Cache-Control") == "no-store");
    CHECK(answer->get_header_value("X-Content-Type-Options") == "nosniff");
    CHECK_THAT(answer->get_header_value("Content-Security-Policy"), contains("default-src 'self'"));
    CHECK(!answer->has_header("Access-Control-Allow-Origin"));
    return std::pair(answer->get_header_value("Content-Type"), answer->body);
  };
  const auto [status_type, status] = get("/status.json");
  CHECK(status_type == "application/json");
  const json all = json::parse(status);
  CHECK(all["components"][0]["name"] == "orders");
  CHECK(all["components"][0]["executor"] == "thread_pool 1");
  CHECK(all["edges"][0]["messages"] == json{"monitor_test::order"});
  CHECK(all["state"] == "serving");
  CHECK(all["warnings"].empty());

  const auto [metrics_type, metrics] = get("/metrics");
  CHECK_THAT(metrics_type, contains("text/plain; version=0.0.4"));
  CHECK_THAT(metrics, contains("msgbus_offered_messages_total{component=\"orders\""));
  const auto [open_type, open] =
      get("/metrics", {{"Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.1"}});
  CHECK_THAT(open_type, contains("application/openmetrics-text; version=1.0.0"));
  CHECK_THAT(open, contains("# EOF"));

  CHECK(json::parse(get("/describe.json").second)["version"] == 1);
  CHECK_THAT(get("/describe.dot").second, contains("digraph"));
  const auto [picture_type, picture] = get("/graph.svg");
  CHECK(picture_type == "image/svg+xml");
  CHECK_THAT(picture, contains("<svg xmlns="));

  const json event = wait_for(page, [](const json& each) { return each["version"] == 1; });
  CHECK(event["components"].size() == 1);
}

TEST_CASE("the page is there with all that it names, for everybody, and names nothing elsewhere") {
  scene at;
  monitor_options options = quick();
  options.token = "secret";
  const monitor page(at.all, options);
  auto client = client_of(page);
  const auto index = client.Get("/");
  REQUIRE(index);
  CHECK(index->status == 200);
  CHECK(index->get_header_value("Content-Type") == "text/html; charset=utf-8");
  std::size_t named = 0;
  for (const std::string& attribute : {std::string("src=\""), std::string("href=\"")}) {
    const std::string& text = index->body;
    for (std::size_t at_name = text.find(attribute); at_name != std::string::npos;
         at_name = text.find(attribute, at_name + 1)) {
      const std::size_t begin = at_name + attribute.size();
      const std::string name = text.substr(begin, text.find('"', begin) - begin);
      if (name.starts_with('#')) continue;
      INFO(name);
      ++named;
      const auto file = client.Get(name.starts_with('/') ? name : '/' + name);
      REQUIRE(file);
      CHECK((file->status == 200 || file->status == 401));  // figures need the token
      CHECK(name.find("//") == std::string::npos);
    }
  }
  CHECK(named >= 3);
  CHECK(client.Get("/page.js")->status == 200);
  CHECK(client.Get("/page.css")->get_header_value("Content-Type") == "text/css; charset=utf-8");
}

TEST_CASE("what is not there is not found, and nothing is changed by a wrong method") {
  scene at;
  const monitor page(at.all, quick());
  auto client = client_of(page);
  for (const char* path :
       {"/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd", "/status.json/", "//"}) {
    const auto answer = client.Get(path);
    REQUIRE(answer);
    CHECK(answer->status == 404);
    CHECK(json::parse(answer->body)["error"] == "there is no such page");
  }
  CHECK(client.Post("/status.json", "{}", "application/json")->status == 405);
  CHECK(client.Delete("/")->status == 405);
  CHECK(client.Get("/", {{"Range", "bytes=0-,0-,0-"}})->status == 416);
  const auto head = client.Head("/status.json");
  CHECK(head->status == 200);
  CHECK(head->body.empty());
}

TEST_CASE("a request for another host is refused: a foreign name may be bound to this machine") {
  scene at;
  monitor_options options = quick();
  options.hosts = {"shop.example"};
  const monitor page(at.all, options);
  auto client = client_of(page);
  for (const char* path : {"/", "/status.json", "/events", "/metrics"}) {
    const auto answer = client.Get(path, {{"Host", "evil.example:80"}});
    REQUIRE(answer);
    CHECK(answer->status == 403);
  }
  CHECK(client.Get("/status.json", {{"Host", "shop.example"}})->status == 200);
  CHECK(client.Get("/status.json", {{"Host", "localhost:1"}})->status == 200);
}

TEST_CASE("with a token, figures are for those who have it") {
  scene at;
  monitor_options options = quick();
  options.token = "secret";
  const monitor page(at.all, options);
  auto client = client_of(page);
  for (const char* path : {"/status.json", "/events", "/metrics", "/graph.svg", "/describe.json"}) {
    const auto without = client.Get(path);
    CHECK(without->status == 401);
    CHECK_THAT(without->get_header_value("WWW-Authenticate"), contains("Bearer"));
    CHECK(client.Get(path, {{"Authorization", "Bearer secre"}})->status == 401);
    if (path == std::string("/events")) continue;
    CHECK(client.Get(path, {{"Authorization", "Bearer secret"}})->status == 200);
  }
}

TEST_CASE("a monitor answers while every thread is stuck in a handler, and says where") {
  scene at;
  consumer mail(at.pool.get_executor());
  at.all.add("mail", mail);
  std::latch release(1);
  std::latch entered(1);
  at.orders.handler([&](const order&) {
    entered.count_down();
    release.wait();
  });
  const monitor page(at.all, quick());
  (void)wait_for(page, [](const json& each) { return each["stalled"].empty(); });
  REQUIRE(at.orders.post(order{1}).admitted);
  REQUIRE(mail.post(order{2}).admitted);
  entered.wait();
  const json stuck = wait_for(page, [](const json& each) {
    return !each["stalled"].empty() && !each["stalled"][0]["running"].empty() &&
           each["stalled"][0]["running"][0]["seconds"] > 0.05;
  });
  const json& stalled = stuck["stalled"][0];
  CHECK(stalled["executor"] == "thread_pool 1");
  CHECK(stalled["seconds"] >= 0.05);
  CHECK(stalled["components"] == json{"orders", "mail"});
  CHECK(stalled["running"][0]["component"] == "orders");
  CHECK(stalled["running"][0]["message"] == "monitor_test::order");
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
  release.count_down();
  const json free = wait_for(page, [](const json& each) { return each["stalled"].empty(); });
  CHECK(free["components"][0]["handlers"][0]["running"] == 0);
}

TEST_CASE("a coroutine that waits is running, and keeps no thread") {
  scene at;
  msgbus_test::gate open;
  at.orders.handler([&](const order&) -> asio::awaitable<void> { co_await open.wait(); });
  const monitor page(at.all, quick());
  REQUIRE(at.orders.post(order{1}).admitted);
  const json now = wait_for(page, [](const json& each) {
    const json& handlers = each["components"][0]["handlers"];
    return !handlers.empty() && handlers[0]["running"] == 1 && handlers[0]["running_for"] > 0.05;
  });
  CHECK(now["stalled"].empty());
  open.open();
  const json then = wait_for(
      page, [](const json& each) { return each["components"][0]["handlers"][0]["running"] == 0; });
  CHECK(then["components"][0]["totals"]["handled"] == 1);
}

TEST_CASE("failures are there with their handlers and messages, the newest first") {
  scene at;
  const auto twice = msgbus::policy{.retry = {.attempts = 2, .backoff = 1ms}};
  at.orders.handler([](const order&) { throw std::runtime_error("no such article"); }, twice);
  const monitor page(at.all, quick());
  REQUIRE(at.orders.post(order{1}).admitted);
  REQUIRE(at.orders.post(refund{1}).admitted);
  const json now = wait_for(page, [](const json& each) {
    return each["failures"].size() == 2 && each["components"][0]["totals"]["unrouted"] == 1;
  });
  CHECK(now["failures"][0]["id"] == 2);
  CHECK(now["failures"][0]["repeated"] == false);
  CHECK(now["failures"][1]["repeated"] == true);
  CHECK(now["failures"][0]["message"] == "monitor_test::order");
  CHECK_THAT(now["failures"][0]["handler"].get<std::string>(), contains("monitor_test::order"));
  CHECK(now["failures"][0]["text"] == "no such article");
  CHECK(now["components"][0]["last_error"] == now["failures"][0]);
  CHECK(now["components"][0]["totals"]["retries"] == 1);
  const json warned = wait_for(page, [](const json& each) { return !each["warnings"].empty(); });
  CHECK(warned["warnings"][0]["text"] ==
        "1 message without a handler in the last minute: monitor_test::refund");
}

TEST_CASE("an observer of the program hears what it heard without a monitor") {
  scene at;
  const auto counts = std::make_shared<msgbus::counting_observer>();
  at.orders.observe(counts);
  at.orders.handler([](const order& each) {
    if (each.id == 2) throw std::runtime_error("two");
  });
  {
    const monitor page(at.all, quick());
    for (int i = 1; i <= 3; ++i) REQUIRE(at.orders.post(order{i}).admitted);
    (void)wait_for(page, [](const json& each) {
      return each["components"][0]["totals"]["handled"] == 2 && each["failures"].size() == 1;
    });
  }
  REQUIRE(at.orders.post(order{2}).admitted);
  at.pool.join();
  CHECK(counts->accepted() == 4);
  CHECK(counts->delivered() == 2);
  CHECK(counts->failed() == 2);
}

TEST_CASE("dead letters are replayed and discarded only where that is allowed") {
  scene at;
  const auto letters = std::make_shared<dead_letters>();
  std::atomic<bool> works{false};
  at.orders.handler(
      [&](const order&) {
        if (!works) throw std::runtime_error("down");
      },
      {.dead_letters = letters});
  const auto shown = [](std::size_t many) {
    return [many](const json& each) { return each["dead_letters"]["letters"].size() == many; };
  };
  for (int i = 1; i <= 2; ++i) REQUIRE(at.orders.post(order{i}).admitted);
  const std::string type = "application/json";
  {
    const monitor page(at.all, quick());
    const json now = wait_for(page, shown(2));
    CHECK(now["dead_letters"]["letters"][0]["replayable"] == false);
    CHECK(now["components"][0]["dead_letters"] == 2);
    auto client = client_of(page);
    CHECK(client.Post("/dead-letters/replay", R"({"ids":["1-1"]})", type)->status == 403);
    CHECK(client.Post("/dead-letters/discard", R"({"ids":["1-1"]})", type)->status == 403);
    CHECK(letters->size() == 2);
  }
  monitor_options options = quick();
  options.allow_actions = true;
  const monitor page(at.all, options);
  const json now = wait_for(page, shown(2));
  CHECK(now["dead_letters"]["letters"][0]["id"] == "1-2");
  CHECK(now["dead_letters"]["letters"][0]["replayable"] == true);
  CHECK(now["dead_letters"]["letters"][0]["component"] == "orders");
  CHECK(now["dead_letters"]["letters"][0]["reason"] == "down");
  auto client = client_of(page);
  const auto replay = [&](const httplib::Headers& with, const std::string& body,
                          const std::string& as) {
    return client.Post("/dead-letters/replay", with, body, as)->status;
  };
  const std::string first = R"({"ids":["1-1"]})";
  CHECK(replay({}, first, "text/plain") == 415);
  CHECK(replay({{"Origin", "http://evil.example"}}, first, type) == 403);
  CHECK(replay({{"Origin", "null"}}, first, type) == 403);
  CHECK(replay({}, "no JSON", type) == 400);
  CHECK(replay({}, R"({"ids":[1]})", type) == 400);
  CHECK(replay({}, std::string(70'000, ' '), type) == 413);
  CHECK(replay({{"Content-Encoding", "gzip"}}, first, type) == 411);
  CHECK(replay({{"Transfer-Encoding", "chunked"}}, first, type) == 411);
  CHECK(client.Get("/dead-letters/replay")->status == 405);
  CHECK(letters->size() == 2);

  const auto none = client.Post("/dead-letters/replay", R"({"ids":["9-1","1-77","x"]})", type);
  CHECK(none->status == 202);
  CHECK(json::parse(none->body)["accepted"] == 0);

  works = true;
  const std::string own = "http://127.0.0.1:" + std::to_string(page.port());
  CHECK(replay({{"Origin", own}}, first, type) == 202);
  const json after = wait_for(page, shown(1));
  CHECK(after["dead_letters"]["letters"][0]["id"] == "1-2");
  CHECK(after["dead_letters"]["replayed"] == 1);
  const auto gone = client.Post("/dead-letters/discard", R"({"ids":["1-2"]})", type);
  CHECK(json::parse(gone->body)["accepted"] == 1);
  CHECK(letters->size() == 0);
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
  CHECK(is_valid(now.dump()));
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
  std::latch release(1);
  for (int i = 0; i < 3; ++i) {
    std::optional<monitor> page(std::in_place, at.all, quick());
    const deaf_client deaf(page->port());
    (void)wait_for(*page, [](const json&) { return true; });
    REQUIRE(at.orders.post(order{i}).admitted);
    page.reset();
  }
  // While its probe waits in the queue of an executor.
  REQUIRE(at.orders.post(order{4}).admitted);
  at.orders.handler([&](const refund&) { release.wait(); });
  REQUIRE(at.orders.post(refund{1}).admitted);
  {
    const monitor page(at.all, quick());
    (void)wait_for(page, [](const json& each) { return !each["stalled"].empty(); });
  }
  release.count_down();
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

TEST_CASE("options that make no sense are refused") {
  scene at;
  const auto refused = [&](const std::function<void(monitor_options&)>& change) {
    monitor_options options = quick();
    change(options);
    return code_of([&] { const monitor page(at.all, options); }) == errc::bad_arguments;
  };
  CHECK(refused([](auto& of) { of.interval = 0s; }));
  CHECK(refused([](auto& of) { of.max_streams = 0; }));
  CHECK(refused([](auto& of) { of.address = "no.such.host.invalid"; }));
  CHECK(refused([](auto& of) {
    of.address = "0.0.0.0";
    of.allow_actions = true;
  }));
  const monitor page(at.all, quick());
  CHECK(refused([&](auto& of) { of.port = page.port(); }));
  CHECK(page.url() == "http://127.0.0.1:" + std::to_string(page.port()) + "/");
}

}  // namespace monitor_test
