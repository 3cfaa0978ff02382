#include <msgbus/async/operation.hpp>

#include <msgbus/async/service.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <type_traits>

namespace operation_test {

using asio::awaitable;
using msgbus::async::operation;
using msgbus::async::service;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::hop;

TEST_CASE("an async operation has the signature of the awaited call") {
  stepping_context context;
  service commands(context.get_executor());
  auto update = commands.handler(
      "update", [](int, const std::string&) -> awaitable<bool> { co_return true; });
  static_assert(std::is_same_v<decltype(update), operation<bool(int, const std::string&)>>);
  auto plain = commands.handler("plain", [](int) {});
  static_assert(std::is_same_v<decltype(plain), operation<void(int)>>);
  CHECK(update.name() == "update");
  CHECK(context.run(update(1, "text")));
  context.run(plain(1));
}

TEST_CASE("an operation that is none says so") {
  const operation<int(int)> none;
  CHECK_FALSE(none.active());
  CHECK(code_of([&] { (void)none(1); }) == msgbus::errc::no_handler);
}

TEST_CASE("copies of an operation are the same operation, which any of them cancels", "[D4]") {
  stepping_context context;
  service commands(context.get_executor());
  auto update = commands.handler("update", [](int n) -> awaitable<int> { co_return n; });
  auto copy = update;
  CHECK(context.run(copy(1)) == 1);
  msgbus::subscription untyped = update;
  untyped.cancel();
  CHECK_FALSE(copy.active());
  CHECK(code_of([&] { context.run(copy(1)); }) == msgbus::errc::no_handler);
}

TEST_CASE("an operation of a service that is gone throws and does not dangle", "[D8]") {
  stepping_context context;
  auto commands = std::make_unique<service>(context.get_executor());
  auto update = commands->handler("update", [](int n) -> awaitable<int> { co_return n; });
  commands->close();
  CHECK(code_of([&] { context.run(update(1)); }) == msgbus::errc::closed);
  commands.reset();
  const auto code = code_of([&] { context.run(update(1)); });
  CHECK((code == msgbus::errc::closed || code == msgbus::errc::no_handler));
}

TEST_CASE("a call that was made before its operation was cancelled runs to its end", "[D6]") {
  stepping_context context;
  service commands(context.get_executor());
  gate open;
  auto captured = std::make_shared<int>(7);
  auto update = commands.handler("update", [&open, captured](int n) -> awaitable<int> {
    co_await open.wait();
    co_return n + *captured;
  });
  auto running = context.spawn(update(1));
  context.run();
  update.cancel();
  CHECK(captured.use_count() == 2);
  auto gone = context.spawn(update.subscription().cancelled());
  context.run();
  CHECK_FALSE(gone.done());
  open.open();
  context.run();
  CHECK(gone.done());
  CHECK(captured.use_count() == 1);
  CHECK(running.get() == 8);
}

TEST_CASE("a cancelled call cancels its handler and waits for it", "[A1][A9]") {
  stepping_context context;
  service commands(context.get_executor());
  gate never;
  bool ended = false;
  auto update = commands.handler("update", [&](int) -> awaitable<int> {
    std::exception_ptr failure;
    try {
      co_await never.wait();
    } catch (...) {
      failure = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await hop(5);
    ended = true;
    std::rethrow_exception(failure);
  });
  auto running = context.spawn(update(1));
  context.run();
  running.cancel();
  CHECK(context.run_until([&] { return running.done(); }));
  CHECK(ended);
  CHECK(msgbus_test::is_aborted(running.failure()));
  CHECK(commands.stats().abandoned == 1);
  CHECK(msgbus_test::is_conserved(commands.stats()));
}

}  // namespace operation_test
