#include <msgbus/async/shielded.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace shielded_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::shielded;
using msgbus::testing::stepping_context;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_aborted;

namespace {

awaitable<void> steps(std::string& log, int many) {
  for (int i = 0; i < many; ++i) {
    co_await hop();
    log += '.';
  }
}

awaitable<std::unique_ptr<std::string>> gives(std::string what) {
  co_await hop(2);
  co_return std::make_unique<std::string>(std::move(what));
}

awaitable<int> fails() {
  co_await hop();
  throw std::runtime_error("no");
}

bool is_cancelled(const asio::cancellation_state& state) {
  return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

TEST_CASE("shielded work returns its result, or throws its exception", "[A9]") {
  stepping_context context;
  const auto use = [&]() -> awaitable<std::string> {
    auto work = gives("done");
    const auto result = co_await shielded(std::move(work));
    co_return *result;
  };
  CHECK(context.run(use()) == "done");
  CHECK_THROWS_WITH(context.run(shielded(fails())), "no");
}

TEST_CASE("shielded work runs to its end, and its caller is cancelled after it", "[A9]") {
  stepping_context context;
  std::string log;
  const auto use = [&]() -> awaitable<void> {
    co_await shielded(steps(log, 5));
    log += is_cancelled(co_await asio::this_coro::cancellation_state) ? 'c' : '-';
    co_await hop();
    log += 'n';  // never: the wait above throws
  };
  auto using_it = context.spawn(use());
  for (int i = 0; i < 4; ++i) (void)context.step();
  using_it.cancel();
  context.run();
  REQUIRE(using_it.done());
  CHECK(is_aborted(using_it.failure()));
  CHECK(log == ".....c");
}

TEST_CASE("a caller that was cancelled before says good-bye in shielded work, with verbs", "[A9]") {
  stepping_context context, elsewhere;
  consumer events(context.get_executor());
  consumer here(context.get_executor()), there(elsewhere.get_executor());
  std::string log;
  for (consumer* const each : {&here, &there}) {
    each->handler([&](int n) -> awaitable<void> {
      co_await hop(2);
      log += std::to_string(n);
    });
  }
  const auto good_bye = [&]() -> awaitable<void> {
    (void)co_await here.consume<int>(1);
    (void)co_await there.consume<int>(2);
    (void)co_await here.send<int>(3);
  };
  gate never;
  events.handler([&](double) -> awaitable<void> {
    std::exception_ptr failure;
    try {
      co_await never.wait();
    } catch (...) {
      failure = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    auto bye = good_bye();
    co_await shielded(std::move(bye));
    log += is_cancelled(co_await asio::this_coro::cancellation_state) ? 'c' : '-';
    if (failure) std::rethrow_exception(failure);
  });
  auto consumed = context.spawn(events.consume<double>(0.5));
  const auto run = [&] {
    while (context.run() + elsewhere.run() != 0) {
    }
  };
  run();
  consumed.cancel();
  run();
  REQUIRE(consumed.done());
  CHECK(is_aborted(consumed.failure()));
  CHECK(log == "12c3");
  CHECK(events.stats().abandoned == 1);
}

TEST_CASE("shielded work is cut off with its context", "[A12]") {
  for (int steps_done = 0; steps_done < 20; ++steps_done) {
    auto context = std::make_unique<stepping_context>();
    std::string log;
    auto running = context->spawn(shielded(steps(log, 5)));
    for (int i = 0; i < steps_done; ++i) (void)context->step();
    const bool done = running.done();
    context.reset();
    CHECK((!done || log == "....."));
    CHECK(done == (running.done() && !running.failure()));
  }
}

}  // namespace shielded_test
