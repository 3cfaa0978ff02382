#include <msgbus/exec/async_event.hpp>

#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/post.hpp>

#include <memory>
#include <optional>

namespace async_event_test {

using msgbus::exec::async_event;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::is_aborted;

namespace {

asio::awaitable<void> wait_for(std::shared_ptr<async_event> event) { co_await event->wait(); }

}  // namespace

TEST_CASE("a set event lets through all that wait, and all that come") {
  stepping_context context;
  auto event = std::make_shared<async_event>();
  auto first = context.spawn(wait_for(event));
  auto second = context.spawn(wait_for(event));
  context.run();
  CHECK_FALSE(first.done());
  event->set();
  CHECK(event->is_set());
  CHECK_FALSE(first.done());  // never inside `set`
  context.run();
  CHECK(first.done());
  CHECK(second.done());
  context.run(wait_for(event));
}

TEST_CASE("a reset event holds back later waits, and none that was let through before") {
  stepping_context context;
  auto event = std::make_shared<async_event>();
  auto before = context.spawn(wait_for(event));
  context.run();
  event->set();
  event->reset();
  auto after = context.spawn(wait_for(event));
  context.run();
  CHECK(before.done());
  CHECK_FALSE(after.done());
  CHECK_FALSE(event->is_set());
  event->set();
  context.run();
  CHECK(after.done());
}

TEST_CASE("a cancelled wait for an event ends with operation_aborted", "[A9]") {
  stepping_context context;
  auto event = std::make_shared<async_event>();
  auto first = context.spawn(wait_for(event));
  auto second = context.spawn(wait_for(event));
  context.run();
  first.cancel();
  context.run();
  CHECK(is_aborted(first.failure()));
  CHECK_FALSE(second.done());
  event->set();
  context.run();
  CHECK_FALSE(second.failure());
}

TEST_CASE("waits for an event are taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context)
        : first(context.spawn(wait_for(event))), second(context.spawn(wait_for(event))) {
      asio::post(context.get_executor(), [copy = event] { copy->set(); });
    }
    std::shared_ptr<async_event> event = std::make_shared<async_event>();
    spawned<void> first, second;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 5);
}

}  // namespace async_event_test
