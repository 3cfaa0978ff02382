#include <msgbus/exec/inject.hpp>

#include <msgbus/core/error.hpp>
#include <msgbus/di/provider.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <stdexcept>
#include <string>

namespace inject_test {

namespace di = msgbus::di;
using msgbus::depends;
using msgbus::detail::failures;
using msgbus::exec::async_injector;
using msgbus::testing::stepping_context;

namespace {

std::string note;

int get_base() { return 3; }
asio::awaitable<int> get_twice(depends<get_base> base) {
  co_await asio::post(asio::use_awaitable);
  co_return *base * 2;
}
asio::awaitable<void> get_session(msgbus::async::yield<int> yield, depends<get_twice> twice) {
  note += '(';
  try {
    co_await yield(*twice + 1);
    note += "ok";
  } catch (...) {
    note += "failed";
  }
  note += ')';
}

const di::asker tester{nullptr, [](const void*) { return std::string("a test"); }};

}  // namespace

TEST_CASE("a handler awaits what it needs, and that is released when it has ended", "[I1][I2]") {
  stepping_context context;
  const msgbus::provider none;
  note.clear();
  failures failed;
  auto handle = [](depends<get_session> session,
                   depends<get_twice> twice) -> asio::awaitable<void> {
    co_await asio::post(asio::use_awaitable);
    note += std::to_string(*session) + ' ' + std::to_string(*twice);
  };
  using injector = async_injector<depends<get_session>, depends<get_twice>>;
  CHECK(injector::has_async);
  const di::injection with{none.state(), msgbus::detail::no_context, tester};
  context.run(injector::run(with, handle, failed));
  CHECK(note == "(7 6ok)");
  CHECK(failed.empty());
}

TEST_CASE("a handler's failure is seen by its dependency, and reported although swallowed",
          "[I3]") {
  stepping_context context;
  const msgbus::provider none;
  note.clear();
  failures failed;
  auto handle = [](depends<get_session>) -> asio::awaitable<void> {
    co_await asio::post(asio::use_awaitable);
    throw std::runtime_error("no luck");
  };
  const di::injection with{none.state(), msgbus::detail::no_context, tester};
  context.run(async_injector<depends<get_session>>::run(with, handle, failed));
  CHECK(note == "(failed)");
  REQUIRE(failed.size() == 1);
  CHECK_THROWS_WITH(std::rethrow_exception(failed[0]), "no luck");
}

TEST_CASE("an override reaches what dependencies need", "[I4]") {
  stepping_context context;
  msgbus::provider some;
  some.override(get_base, [] { return 10; });
  failures failed;
  int got = 0;
  auto handle = [&](depends<get_twice> twice) { got = *twice; };
  const di::injection with{some.state(), msgbus::detail::no_context, tester};
  context.run(async_injector<depends<get_twice>>::run(with, handle, failed));
  CHECK(got == 20);
  CHECK(failed.empty());
}

}  // namespace inject_test
