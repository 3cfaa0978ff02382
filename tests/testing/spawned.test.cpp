#include <msgbus/testing/spawned.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/cancellation_state.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <string>

namespace spawned_test {

using msgbus::testing::stepping_context;

namespace {

asio::awaitable<int> wait_for_ever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
  co_await timer.async_wait(asio::use_awaitable);
  co_return 1;
}

// Movable only, without a default constructor.
struct parcel {
  explicit parcel(std::string given) : text(std::make_unique<std::string>(std::move(given))) {}
  std::unique_ptr<std::string> text;
};

}  // namespace

TEST_CASE("a spawned awaitable reports its end and its result") {
  stepping_context context;
  auto pack = []() -> asio::awaitable<parcel> {
    co_await asio::post(asio::use_awaitable);
    co_return parcel("a letter");
  };
  auto running = context.spawn(pack());
  CHECK_FALSE(running.done());
  CHECK_THROWS_AS(running.get(), msgbus::testing::stuck);
  context.run();
  REQUIRE(running.done());
  CHECK(running.failure() == nullptr);
  CHECK(*running.get().text == "a letter");
}

TEST_CASE("a spawned awaitable keeps its exception") {
  stepping_context context;
  auto fail = []() -> asio::awaitable<void> {
    co_await asio::post(asio::use_awaitable);
    throw std::runtime_error("no luck");
  };
  auto running = context.spawn(fail());
  context.run();
  CHECK(running.done());
  CHECK(running.failure() != nullptr);
  CHECK_THROWS_WITH(running.get(), "no luck");
}

TEST_CASE("a spawned awaitable is cancelled") {
  stepping_context context;
  auto running = context.spawn(wait_for_ever());
  context.run();
  CHECK_FALSE(running.done());
  running.cancel(asio::cancellation_type::total);
  context.run();
  CHECK_FALSE(running.done());
  running.cancel();
  context.run();
  REQUIRE(running.done());
  CHECK_THROWS_AS(running.get(), asio::system_error);
}

TEST_CASE("a spawned awaitable is cancelled before its first step") {
  stepping_context context;
  auto running = context.spawn(wait_for_ever());
  running.cancel();
  context.run();
  CHECK(running.done());
  CHECK(running.failure() != nullptr);
}

TEST_CASE("a spawned awaitable continues without its handle") {
  stepping_context context;
  bool ended = false;
  auto work = [&]() -> asio::awaitable<void> {
    co_await asio::post(asio::use_awaitable);
    ended = true;
  };
  {
    (void)context.spawn(work());
  }
  context.run();
  CHECK(ended);
}

TEST_CASE("a handle may outlive its context, and then has no result", "[A12]") {
  auto context = std::make_unique<stepping_context>();
  auto running = context->spawn(wait_for_ever());
  context->run();
  context.reset();
  CHECK_FALSE(running.done());
  CHECK_THROWS_AS(running.get(), msgbus::testing::stuck);
}

TEST_CASE("an awaitable is spawned on a context as on its executor") {
  stepping_context context;
  auto pack = []() -> asio::awaitable<int> { co_return 1; };
  msgbus::testing::spawned running(context, pack());
  CHECK_FALSE(running.done());
  context.run();
  CHECK(running.get() == 1);
}

}  // namespace spawned_test
