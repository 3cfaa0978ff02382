#include <msgbus/detail/exec/wait_list.hpp>

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace wait_list_test {

using msgbus::exec::is_aborted;
using msgbus::exec::wait_list;
using msgbus::exec::wake_batch;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::manual_clock;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

namespace {

/// Items that are there or not, and a list of coroutines that each take one.
struct store {
  std::mutex mutex;
  wait_list waiting{mutex};
  int items = 0;
  bool fails = false;
  std::string log;  // the coroutines that have taken one

  void put(std::size_t many) {
    wake_batch woken;
    const std::lock_guard lock(mutex);
    items += static_cast<int>(many);
    waiting.wake(many, woken);
  }
  /// Takes one from under those that wait.
  bool snatch() {
    const std::lock_guard lock(mutex);
    if (items == 0) return false;
    --items;
    return true;
  }
  std::size_t queued() {
    const std::lock_guard lock(mutex);
    return waiting.size();
  }
  std::size_t woken() {
    const std::lock_guard lock(mutex);
    return waiting.woken();
  }
  static bool take(void* self, bool) {
    auto& mine = *static_cast<store*>(self);
    if (mine.items != 0 && mine.fails) throw std::runtime_error("broken");
    if (mine.items == 0) return false;
    --mine.items;
    return true;
  }
};

asio::awaitable<void> take_one(std::shared_ptr<store> from, char name) {
  co_await from->waiting.wait(&store::take, from.get(), "an item");
  from->log += name;
}

std::string message_of(const std::exception_ptr& thrown) {
  if (!thrown) return {};
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("a coroutine that finds its resource free does not wait") {
  stepping_context context;
  auto from = std::make_shared<store>();
  from->put(1);
  auto taking = context.spawn(take_one(from, 'a'));
  CHECK(context.run() == 2);  // the coroutine, and its completion
  CHECK(taking.done());
  CHECK(from->queued() == 0);
}

TEST_CASE("those that wait are woken in the order of their coming, as many as asked") {
  stepping_context context;
  auto from = std::make_shared<store>();
  for (const char name : {'a', 'b', 'c', 'd'}) (void)context.spawn(take_one(from, name));
  context.run();
  CHECK(from->queued() == 4);
  from->put(1);
  CHECK(from->queued() == 3);
  CHECK(from->log.empty());  // never inside `wake`
  context.run();
  CHECK(from->log == "a");
  from->put(2);
  context.run();
  CHECK(from->log == "abc");
  from->put(3);
  context.run();
  CHECK(from->log == "abcd");
  CHECK(from->items == 2);
  CHECK(from->woken() == 0);
}

TEST_CASE("a woken coroutine that finds nothing waits again, and keeps its place") {
  stepping_context context;
  auto from = std::make_shared<store>();
  for (const char name : {'a', 'b', 'c'}) (void)context.spawn(take_one(from, name));
  context.run();
  from->put(2);
  CHECK(from->snatch());
  CHECK(from->snatch());
  context.run();
  CHECK(from->log.empty());
  CHECK(from->queued() == 3);
  for (int i = 0; i < 3; ++i) {
    from->put(1);
    context.run();
  }
  CHECK(from->log == "abc");
}

TEST_CASE("a coroutine resumes on its own executor, whichever thread wakes it", "[A2]") {
  stepping_context here, there;
  auto from = std::make_shared<store>();
  auto taking = here.spawn(take_one(from, 'a'));
  here.run();
  asio::post(there.get_executor(), [&] { from->put(1); });
  there.run();
  CHECK(there.pending() == 0);
  CHECK_FALSE(taking.done());
  here.run();
  CHECK(taking.done());
}

TEST_CASE("a cancelled wait has taken nothing, and is named by its exception", "[A9]") {
  stepping_context context;
  auto from = std::make_shared<store>();
  auto first = context.spawn(take_one(from, 'a'));
  auto second = context.spawn(take_one(from, 'b'));
  context.run();
  SECTION("cancelled before there was something") {
    first.cancel();
    from->put(1);  // does not go to the cancelled one
    CHECK(from->queued() == 0);
  }
  SECTION("cancelled after it was woken: it wakes the next one") {
    from->put(1);
    CHECK(from->queued() == 1);
    first.cancel();
  }
  SECTION("cancelled before, and woken when it has gone") {
    first.cancel();
    context.run();
    CHECK(from->queued() == 1);
    from->put(1);
  }
  context.run();
  CHECK(is_aborted(first.failure()));
  CHECK(message_of(first.failure()).find("an item") == 0);
  CHECK(second.done());
  CHECK_FALSE(second.failure());
  CHECK(from->log == "b");
  CHECK(from->items == 0);
  CHECK(from->woken() == 0);
}

TEST_CASE("a coroutine that was cancelled before it begins to wait takes nothing", "[A9]") {
  stepping_context context;
  auto from = std::make_shared<store>();
  from->put(1);
  const auto late = [](std::shared_ptr<store> of) -> asio::awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(asio::use_awaitable);
    co_await take_one(std::move(of), 'a');
  };
  auto taking = context.spawn(late(from));
  context.step();
  taking.cancel();
  context.run();
  CHECK(is_aborted(taking.failure()));
  CHECK(from->items == 1);
}

TEST_CASE("an attempt that throws passes the wake on") {
  stepping_context context;
  auto from = std::make_shared<store>();
  auto first = context.spawn(take_one(from, 'a'));
  auto second = context.spawn(take_one(from, 'b'));
  context.run();
  from->put(1);
  from->fails = true;
  context.step();
  from->fails = false;
  context.run();
  CHECK(message_of(first.failure()) == "broken");
  CHECK(second.done());
  CHECK(from->log == "b");
}

TEST_CASE("a context that goes takes its waiting coroutines, and no wake with it", "[A12]") {
  auto from = std::make_shared<store>();
  stepping_context stays;
  std::optional<stepping_context> goes(std::in_place);
  (void)goes->spawn(take_one(from, 'a'));
  goes->run();
  auto second = stays.spawn(take_one(from, 'b'));
  stays.run();
  SECTION("while one waits there") {
    goes.reset();
    CHECK(from->queued() == 1);
    from->put(1);
  }
  SECTION("when one was woken there and has not resumed") {
    from->put(1);
    CHECK(from->queued() == 1);
    goes.reset();
  }
  SECTION("when one was cancelled there and has not resumed") {
    std::optional<stepping_context> third(std::in_place);
    auto cancelled = third->spawn(take_one(from, 'c'));
    third->run();
    cancelled.cancel();
    goes.reset();
    from->put(1);
    third.reset();
  }
  stays.run();
  CHECK(second.done());
  CHECK(from->log == "b");
  CHECK(from->queued() == 0);
  CHECK(from->woken() == 0);
  CHECK(from.use_count() == 1);
}

TEST_CASE("a wait with a time limit gives up when the time is over, and has taken nothing",
          "[A9]") {
  stepping_context context;
  manual_clock clock(context);
  auto from = std::make_shared<store>();
  const auto take_in_time = [](std::shared_ptr<store> of) -> asio::awaitable<bool> {
    co_return co_await of->waiting.wait_for(&store::take, of.get(), 5s, "an item");
  };
  auto first = context.spawn(take_in_time(from));
  context.run();
  SECTION("something comes in time") {
    from->put(1);
    context.run();
    CHECK(first.get());
    CHECK(clock.waiting() == 0);
  }
  SECTION("nothing comes") {
    clock.run_for(context, 4s);
    CHECK_FALSE(first.done());
    clock.run_for(context, 1s);
    CHECK_FALSE(first.get());
    from->put(1);
    CHECK(from->items == 1);
  }
  SECTION("a woken coroutine that finds nothing waits for what is left of the time") {
    clock.run_for(context, 3s);
    from->put(1);
    CHECK(from->snatch());
    context.run();
    CHECK_FALSE(first.done());
    CHECK(from->queued() == 1);
    clock.run_for(context, 2s);
    CHECK_FALSE(first.get());
  }
  SECTION("it is cancelled") {
    first.cancel();
    context.run();
    CHECK(is_aborted(first.failure()));
    CHECK(clock.waiting() == 0);
    from->put(1);
    CHECK(from->items == 1);
  }
  SECTION("both at once: an item that is there is taken") {
    clock.advance(5s);
    from->put(1);
    context.run();
    CHECK(first.get());
  }
  CHECK(from->queued() == 0);
  CHECK(from->woken() == 0);
}

TEST_CASE("a wait with no time left lets others run once", "[A11]") {
  stepping_context context;
  manual_clock clock(context);
  auto from = std::make_shared<store>();
  const auto take_at_once = [](std::shared_ptr<store> of) -> asio::awaitable<bool> {
    co_return co_await of->waiting.wait_for(&store::take, of.get(), 0s, "an item");
  };
  auto first = context.spawn(take_at_once(from));
  asio::post(context.get_executor(), [&] { from->put(1); });
  context.run();
  CHECK(first.get());
}

TEST_CASE("waits with a time limit are taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context)
        : clock(context), waiting(context.spawn(take(from))) {
      asio::post(context.get_executor(), [of = from] { of->put(1); });
      asio::post(context.get_executor(), [of = from] { (void)of->snatch(); });
    }
    static asio::awaitable<bool> take(std::shared_ptr<store> of) {
      co_return co_await of->waiting.wait_for(&store::take, of.get(), 5s, "an item");
    }
    bool when_idle() { return clock.advance_to_next(); }
    std::shared_ptr<store> from = std::make_shared<store>();
    manual_clock clock;
    spawned<bool> waiting;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 6);
}

TEST_CASE("waits are taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context) {
      for (const char name : {'a', 'b', 'c'}) {
        taking.push_back(std::make_unique<spawned<void>>(context.spawn(take_one(from, name))));
      }
      const auto put = [of = from] { of->put(2); };
      const auto snatch = [of = from] { (void)of->snatch(); };
      asio::post(context.get_executor(), put);
      asio::post(context.get_executor(), snatch);
      asio::post(context.get_executor(), [this] { taking[0]->cancel(); });
      asio::post(context.get_executor(), put);
    }
    ~scenario() { from->put(1); }
    std::shared_ptr<store> from = std::make_shared<store>();
    std::vector<std::unique_ptr<spawned<void>>> taking;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); },
      {.order = msgbus::testing::teardown::both});
  CHECK(report.steps >= 8);
}

}  // namespace wait_list_test
