#include <msgbus/exec/waiter.hpp>

#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/crew.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace waiter_test {

using msgbus::exec::waiter;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;

namespace {

// Waits, and gives whether it was cancelled.
asio::awaitable<bool> wait_for(std::shared_ptr<waiter> what) {
  co_await what->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

TEST_CASE("a wait ends when it is woken, and not before") {
  stepping_context context;
  auto what = std::make_shared<waiter>();
  auto waiting = context.spawn(wait_for(what));
  context.run();
  CHECK_FALSE(waiting.done());
  CHECK_FALSE(what->woken());
  what->wake();
  CHECK(what->woken());
  CHECK_FALSE(waiting.done());  // never inside wake
  context.run();
  CHECK_FALSE(waiting.get());
}

TEST_CASE("a wait that was woken before does not wait, and does not nest either") {
  stepping_context context;
  auto what = std::make_shared<waiter>();
  what->wake();
  CHECK(context.run(wait_for(what)) == false);

  auto many = []() -> asio::awaitable<void> {
    for (int i = 0; i < 50'000; ++i) {
      waiter each;
      each.wake();
      co_await each.wait();
    }
  };
  context.run(many());
}

TEST_CASE("waking again does nothing") {
  stepping_context context;
  auto what = std::make_shared<waiter>();
  auto waiting = context.spawn(wait_for(what));
  context.run();
  for (int i = 0; i < 3; ++i) what->wake();
  CHECK(context.run() == 1);
  CHECK(waiting.done());
  what->wake();
  CHECK(context.run() == 0);
}

TEST_CASE("a waiter that nobody waits for may be woken, and may go") {
  waiter unused;
  waiter woken;
  woken.wake();
  CHECK(woken.woken());
  CHECK_FALSE(unused.woken());
}

TEST_CASE("the coroutine resumes on its own executor, whoever wakes it", "[A2]") {
  stepping_context here, there;
  auto what = std::make_shared<waiter>();
  auto waiting = here.spawn(wait_for(what));
  here.run();
  asio::post(there.get_executor(), [&] { what->wake(); });
  there.run();
  CHECK(there.pending() == 0);
  CHECK_FALSE(waiting.done());
  CHECK(here.pending() == 1);
  here.run();
  CHECK(waiting.done());
}

TEST_CASE("a cancelled wait ends as if woken, and the coroutine can tell", "[A9]") {
  stepping_context context;
  auto what = std::make_shared<waiter>();
  auto waiting = context.spawn(wait_for(what));
  context.run();
  SECTION("cancelled alone") {
    waiting.cancel();
    CHECK(what->woken());
  }
  SECTION("cancelled before it is woken") {
    waiting.cancel();
    what->wake();
  }
  SECTION("cancelled after it was woken, before it resumes") {
    what->wake();
    waiting.cancel();
  }
  context.run();
  CHECK(waiting.get());
}

TEST_CASE("cancelling after the wait touches the waiter no more", "[A9]") {
  stepping_context context;
  auto what = std::make_shared<waiter>();
  auto work = [](std::shared_ptr<waiter> mine) -> asio::awaitable<void> {
    co_await mine->wait();
    mine.reset();
    co_await asio::post(asio::use_awaitable);
  };
  auto waiting = context.spawn(work(what));
  context.run();
  what->wake();
  what.reset();
  context.step();
  waiting.cancel();  // under a sanitizer
  context.run();
  CHECK(waiting.done());
}

TEST_CASE("a context that goes takes the waiting coroutine with it", "[A12]") {
  auto what = std::make_shared<waiter>();
  auto kept = std::make_shared<int>(1);
  auto work = [](std::shared_ptr<waiter> mine, std::shared_ptr<int>) -> asio::awaitable<void> {
    co_await mine->wait();
  };
  SECTION("while it waits") {
    stepping_context context;
    (void)context.spawn(work(what, kept));
    context.run();
    CHECK(kept.use_count() > 1);
  }
  SECTION("when it was woken and has not resumed") {
    stepping_context context;
    (void)context.spawn(work(what, kept));
    context.run();
    what->wake();
  }
  SECTION("an io_context too") {
    asio::io_context context;
    const spawned<void> waiting(context.get_executor(), work(what, kept));
    context.poll();
    CHECK_FALSE(waiting.done());
  }
  CHECK(kept.use_count() == 1);
  what->wake();  // nobody is there
  CHECK(what->woken());
}

TEST_CASE("a waiter may be woken from another thread at any moment") {
  for (int round = 0; round < msgbus_test::rounds(2000); ++round) {
    asio::io_context context(1);
    auto what = std::make_shared<waiter>();
    const spawned<bool> waiting(context.get_executor(), wait_for(what));
    std::thread other([what] { what->wake(); });
    context.run();
    other.join();
    REQUIRE(waiting.done());
  }
}

TEST_CASE("a context may be destroyed while another thread wakes what waits there", "[A12]") {
  struct round {
    std::optional<asio::io_context> context{std::in_place, 1};
    std::shared_ptr<waiter> what = std::make_shared<waiter>();
    std::shared_ptr<int> kept = std::make_shared<int>(1);
  };
  const auto work = [](std::shared_ptr<waiter> mine,
                       std::shared_ptr<int>) -> asio::awaitable<void> { co_await mine->wait(); };
  std::vector<round> all(static_cast<std::size_t>(msgbus_test::rounds(500)));
  for (round& each : all) {
    asio::co_spawn(*each.context, work(each.what, each.kept), asio::detached);
    each.context->poll();
  }
  std::atomic<std::size_t> next{0};
  std::thread other([&] {
    for (std::size_t i = 0; i < all.size(); ++i) {
      while (next.load(std::memory_order_relaxed) < i) std::this_thread::yield();
      all[i].what->wake();
    }
  });
  for (std::size_t i = 0; i < all.size(); ++i) {
    next.store(i, std::memory_order_relaxed);
    all[i].context.reset();
  }
  other.join();
  for (const round& each : all) CHECK(each.kept.use_count() == 1);
}

TEST_CASE("a wait is taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context) : waiting(context.spawn(wait_for(what))) {
      asio::post(context.get_executor(), [copy = what] { copy->wake(); });
    }
    std::shared_ptr<waiter> what = std::make_shared<waiter>();
    spawned<bool> waiting;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 3);
}

}  // namespace waiter_test
