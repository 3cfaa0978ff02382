// What a message leads to is known to be led to by it, on however many hops, threads and executors.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/detail/core/cause.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/thread_pool.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace chain_test {

using asio::awaitable;
using msgbus::context;
using msgbus::origin;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::detail::cause_scope;
using msgbus::detail::current_origin;
using msgbus::detail::shared_origin;
using msgbus::testing::stepping_context;
using msgbus_test::hop;

namespace {

struct first {
  int id;
};
struct second {
  int id;
};

shared_origin from_elsewhere(std::string id) {
  return std::make_shared<const origin>(
      origin{.message_id = std::move(id), .correlation_id = "c-1"});
}

// What a handler was told, and what it would pass on.
struct told {
  std::vector<std::string> causes;
  void note(const context& about) {
    causes.push_back(std::string(about.causation_id()) + "/" + std::string(about.correlation_id()));
  }
};

}  // namespace

TEST_CASE("a message that is posted while a received message is handled names that as its cause",
          "[B7]") {
  stepping_context steps;
  consumer events(steps.get_executor());
  told all;
  events.handler([&](const first&, const context& about) { all.note(about); });
  const shared_origin cause = from_elsewhere("m-1");
  {
    const cause_scope scope(&cause);
    (void)events.post(first{1});
  }
  (void)events.post(first{2});
  steps.run();
  CHECK(all.causes == std::vector<std::string>{"m-1/c-1", "/"});
}

TEST_CASE("the cause goes along from mailbox to mailbox, also where handlers suspend", "[B7]") {
  stepping_context steps;
  consumer events(steps.get_executor());
  subscriber messages(steps.get_executor());
  publisher news;
  news.bind(messages);
  told all;
  events.handler([&](const first& what) -> awaitable<void> {
    co_await hop(3);
    (void)co_await events.send<second>(what.id);
  });
  events.handler([&](const second& what, const context& about) -> awaitable<void> {
    all.note(about);
    co_await hop(2);
    (void)co_await news.publish(what.id, "numbers");
    (void)news.post(what.id, "numbers");
  });
  messages.subscribe("numbers", [&](int, const context& about) { all.note(about); });
  const shared_origin cause = from_elsewhere("m-1");
  {
    const cause_scope scope(&cause);
    (void)events.post(first{1});
  }
  (void)events.post(first{2});
  steps.run();
  CHECK(std::count(all.causes.begin(), all.causes.end(), "m-1/c-1") == 3);
  CHECK(std::count(all.causes.begin(), all.causes.end(), "/") == 3);
}

TEST_CASE("messages that are handled at once, each with a cause of its own, do not mix them up",
          "[B7]") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    stepping_context steps(msgbus::testing::shuffled{seed});
    consumer events(steps.get_executor(), {.concurrency = 4});
    consumer later(steps.get_executor());
    std::vector<std::string> wrong;
    events.handler([&](const first& what) -> awaitable<void> {
      for (int i = 0; i < 5; ++i) {
        co_await hop();
        (void)later.post(second{what.id});
        (void)co_await later.send<second>(what.id);
      }
    });
    int handled = 0;
    later.handler([&](const second& what, const context& about) {
      ++handled;
      const std::string wanted = what.id == 0 ? "" : "m-" + std::to_string(what.id);
      if (about.causation_id() != wanted) wrong.emplace_back(about.causation_id());
    });
    std::vector<shared_origin> causes;
    for (int id = 0; id < 8; ++id) {
      causes.push_back(id == 0 ? nullptr : from_elsewhere("m-" + std::to_string(id)));
      const cause_scope scope(&causes.back());
      (void)events.post(first{id});
    }
    steps.run();
    CHECK(handled == 80);
    CHECK(wrong.empty());
  }
}

TEST_CASE("the cause goes along to handlers on other executors, and back with their callers",
          "[B7]") {
  asio::thread_pool pool(2);
  stepping_context steps;
  consumer here(steps.get_executor());
  producer all_of_them;
  told seen_there;
  consumer there(pool.get_executor());
  service commands(pool.get_executor());
  std::string after;
  there.handler([&](const second&, const context& about) -> awaitable<void> {
    co_await hop();
    seen_there.note(about);
    seen_there.causes.push_back(current_origin() ? current_origin()->message_id : "");
  });
  auto ask = commands.handler("ask", [&](int, const context& about) -> awaitable<std::string> {
    co_await hop();
    co_return std::string(about.causation_id());
  });
  all_of_them.bind(there);
  std::string answer;
  here.handler([&](const first& what) -> awaitable<void> {
    (void)co_await all_of_them.dispatch<second>(what.id);
    answer = co_await ask(what.id);
    after = current_origin() ? current_origin()->message_id : "";
  });
  const shared_origin cause = from_elsewhere("m-1");
  {
    const cause_scope scope(&cause);
    (void)here.post(first{1});
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (after.empty() && std::chrono::steady_clock::now() < until) steps.run();
  pool.join();
  CHECK(seen_there.causes == std::vector<std::string>{"m-1/c-1", "m-1"});
  CHECK(answer == "m-1");
  CHECK(after == "m-1");
}

TEST_CASE("a policy's attempts know the cause") {
  stepping_context steps;
  consumer events(steps.get_executor());
  std::vector<std::string> seen;
  events.handler(
      [&](const first&, const context& about) -> awaitable<void> {
        co_await hop();
        seen.push_back(std::string(about.causation_id()) + "#" + std::to_string(about.attempt()) +
                       (current_origin() ? current_origin()->message_id : ""));
        if (seen.size() < 2) throw std::runtime_error("once more");
      },
      {.retry = {.attempts = 3, .backoff = {}}});
  const shared_origin cause = from_elsewhere("m-1");
  {
    const cause_scope scope(&cause);
    (void)events.post(first{1});
  }
  steps.run();
  CHECK(seen == std::vector<std::string>{"m-1#1m-1", "m-1#2m-1"});
}

}  // namespace chain_test
