#include <msgbus/exec/async_semaphore.hpp>

#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/post.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

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
