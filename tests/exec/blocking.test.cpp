#include <msgbus/exec/blocking.hpp>

#include "support/catch.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <stdexcept>
#include <string>

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

TEST_CASE("what a blocking dependency throws is thrown", "[I3]") {
  CHECK_THROWS_WITH(blocking(get_nothing)(), "no luck");
}
