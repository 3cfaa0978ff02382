#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/post.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace synchronization_test {

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

}  // namespace synchronization_test

namespace async_semaphore_test {

using msgbus::exec::async_semaphore;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::is_aborted;

namespace {

struct counted {
  explicit counted(std::size_t permits) : semaphore(permits) {}
  async_semaphore semaphore;
  std::string log;
};

asio::awaitable<void> acquire(std::shared_ptr<counted> from, char name) {
  co_await from->semaphore.acquire();
  from->log += name;
}

}  // namespace

TEST_CASE("a semaphore gives out its permits, and no more") {
  stepping_context context;
  auto from = std::make_shared<counted>(2);
  for (const char name : {'a', 'b', 'c', 'd'}) (void)context.spawn(acquire(from, name));
  context.run();
  CHECK(from->log == "ab");
  CHECK(from->semaphore.available() == 0);
  from->semaphore.release();
  CHECK(from->log == "ab");  // never inside `release`
  context.run();
  CHECK(from->log == "abc");
  from->semaphore.release(3);
  context.run();
  CHECK(from->log == "abcd");
  CHECK(from->semaphore.available() == 2);
}

TEST_CASE("a released permit belongs to the coroutine that waits, before it resumes") {
  stepping_context context;
  auto from = std::make_shared<counted>(1);
  CHECK(from->semaphore.try_acquire());
  CHECK_FALSE(from->semaphore.try_acquire());
  (void)context.spawn(acquire(from, 'a'));
  context.run();
  from->semaphore.release();
  CHECK(from->semaphore.available() == 0);
  CHECK_FALSE(from->semaphore.try_acquire());
  auto late = context.spawn(acquire(from, 'b'));
  context.run();
  CHECK(from->log == "a");
  from->semaphore.release();
  context.run();
  CHECK(from->log == "ab");
}

TEST_CASE("a cancelled acquire has taken no permit", "[A9]") {
  stepping_context context;
  auto from = std::make_shared<counted>(0);
  auto first = context.spawn(acquire(from, 'a'));
  context.run();
  SECTION("while it waits") {
    first.cancel();
    from->semaphore.release();
  }
  SECTION("when it was given one and has not resumed") {
    from->semaphore.release();
    first.cancel();
  }
  SECTION("when it was given one for which another one waits") {
    auto second = context.spawn(acquire(from, 'b'));
    context.run();
    from->semaphore.release();
    first.cancel();
    context.run();
    CHECK(second.done());
    CHECK(from->log == "b");
    from->semaphore.release();
  }
  context.run();
  CHECK(is_aborted(first.failure()));
  CHECK(from->semaphore.available() == 1);
}

TEST_CASE("a context that goes takes no permit with it", "[A12]") {
  auto from = std::make_shared<counted>(0);
  std::optional<stepping_context> goes(std::in_place);
  (void)goes->spawn(acquire(from, 'a'));
  goes->run();
  from->semaphore.release();
  CHECK(from->semaphore.available() == 0);
  goes.reset();
  CHECK(from->semaphore.available() == 1);
}

TEST_CASE("waits for permits are taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context)
        : first(context.spawn(acquire(from, 'a'))), second(context.spawn(acquire(from, 'b'))) {
      asio::post(context.get_executor(), [copy = from] { copy->semaphore.release(); });
      asio::post(context.get_executor(), [copy = from] { copy->semaphore.release(); });
    }
    std::shared_ptr<counted> from = std::make_shared<counted>(0);
    spawned<void> first, second;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 6);
}

}  // namespace async_semaphore_test

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
