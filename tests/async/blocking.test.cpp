#include <msgbus/async/blocking.hpp>

#include <msgbus/sync.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <stdexcept>
#include <string>

namespace blocking_test {

using msgbus::async::blocking;

namespace {

asio::awaitable<int> get_number() {
  co_await asio::post(asio::use_awaitable);
  co_return 5;
}
asio::awaitable<int> get_nothing() {
  co_await asio::post(asio::use_awaitable);
  throw std::runtime_error("no luck");
}

}  // namespace

TEST_CASE("an async dependency is run to its end where nothing can be awaited") {
  const auto number = blocking(get_number);
  CHECK(number() == 5);
  CHECK(number() == 5);
}

TEST_CASE("the exception of a blocking dependency is thrown", "[I3]") {
  CHECK_THROWS_WITH(blocking(get_nothing)(), "no luck");
}

TEST_CASE("a blocking dependency that misuses its yield says so, though it catches that", "[I5]") {
  static constexpr msgbus::required<int> number{"number"};
  const auto yields_twice = [](msgbus::async::yield<int> yield) -> asio::awaitable<void> {
    co_await yield(1);
    try {
      co_await yield(2);
    } catch (const msgbus::error&) {
    }
  };
  msgbus::sync::consumer events;
  events.override(number, blocking(yields_twice));
  int ran = 0;
  events.handler([&](int, msgbus::depends<number>) { ++ran; });
  CHECK(msgbus_test::code_of([&] { events.consume(1); }) == msgbus::errc::misused_dependency);
  CHECK(ran == 1);
}

TEST_CASE("a handler's failure that a blocking dependency swallows is reported once", "[I3]") {
  static constexpr msgbus::required<int> number{"number"};
  const auto swallows = [](msgbus::async::yield<int> yield) -> asio::awaitable<void> {
    try {
      co_await yield(1);
    } catch (const std::runtime_error&) {
    }
  };
  msgbus::sync::consumer events;
  events.override(number, blocking(swallows));
  events.handler([](int, msgbus::depends<number>) { throw std::runtime_error("handler"); });
  CHECK_THROWS_WITH(events.consume(1), "handler");
}

}  // namespace blocking_test
