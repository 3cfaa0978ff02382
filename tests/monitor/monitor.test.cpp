#include <msgbus/monitor/monitor.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/error.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/monitor_scene.hpp"
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

namespace monitor_test {

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

TEST_CASE("each address gives what it is for, and says so") {
  scene at;
  at.orders.handler([](const order&) {});
  producer sender;
  sender.bind(at.orders);
  monitor_options options = quick();
  options.stalled_after = generous;  // there is no warning of a thread that is late
  const monitor page(at.all, options);
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
  // The message is counted before its type is noted, and both are read in between perhaps.
  const std::string text = "1 message without a handler in the last minute: monitor_test::refund";
  (void)wait_for(page, [&](const json& each) {
    return std::ranges::any_of(each["warnings"],
                               [&](const json& one) { return one["text"] == text; });
  });
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
