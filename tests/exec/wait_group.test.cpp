#include <msgbus/exec/wait_group.hpp>

#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/post.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace wait_group_test {

using msgbus::exec::wait_group;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::manual_clock;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;
using msgbus_test::is_aborted;

namespace {

asio::awaitable<void> wait_for(std::shared_ptr<wait_group> group) { co_await group->wait(); }

}  // namespace

TEST_CASE("a wait group lets through when the last task is done") {
  stepping_context context;
  auto group = std::make_shared<wait_group>();
  context.run(wait_for(group));  // none is none
  group->add();
  group->add(2);
  CHECK(group->count() == 3);
  auto first = context.spawn(wait_for(group));
  auto second = context.spawn(wait_for(group));
  for (int i = 0; i < 2; ++i) group->done();
  context.run();
  CHECK_FALSE(first.done());
  group->done();
  CHECK_FALSE(first.done());  // never inside `done`
  group->add();               // a task of the next round holds back nobody of this one
  context.run();
  CHECK(first.done());
  CHECK(second.done());
  auto third = context.spawn(wait_for(group));
  context.run();
  CHECK_FALSE(third.done());
  group->done();
  context.run();
  CHECK(third.done());
}

TEST_CASE("a cancelled wait for a group ends with operation_aborted", "[A9]") {
  stepping_context context;
  auto group = std::make_shared<wait_group>();
  group->add();
  auto waiting = context.spawn(wait_for(group));
  context.run();
  waiting.cancel();
  context.run();
  CHECK(is_aborted(waiting.failure()));
  CHECK(group->count() == 1);
}

TEST_CASE("a wait for a group may have a time limit") {
  stepping_context context;
  manual_clock clock(context);
  auto group = std::make_shared<wait_group>();
  const auto wait = [](std::shared_ptr<wait_group> of) -> asio::awaitable<bool> {
    co_return co_await of->wait_for(5s);
  };
  std::optional<wait_group::task> task(std::in_place, group);
  auto first = context.spawn(wait(group));
  clock.run_for(context, 5s);
  CHECK_FALSE(first.get());
  auto second = context.spawn(wait(group));
  context.run();
  CHECK_FALSE(second.done());
  task.reset();
  context.run();
  CHECK(second.get());
}

TEST_CASE("a task counts once, however often it moves") {
  auto group = std::make_shared<wait_group>();
  {
    wait_group::task first(group);
    wait_group::task second(std::move(first));
    wait_group::task third;
    third = std::move(second);
    CHECK(group->count() == 1);
  }
  CHECK(group->count() == 0);
}

TEST_CASE("waits for a group are taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context) {
      group->add(2);
      waiting.emplace(context.spawn(wait_for(group)));
      for (int i = 0; i < 2; ++i) {
        asio::post(context.get_executor(), [copy = group] { copy->done(); });
      }
    }
    std::shared_ptr<wait_group> group = std::make_shared<wait_group>();
    std::optional<spawned<void>> waiting;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 4);
}

}  // namespace wait_group_test
