#include <msgbus/detail/exec/one_shot_event.hpp>

#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace one_shot_event_test {

using msgbus::exec::event_batch;
using msgbus::exec::one_shot_event;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;

namespace {

// Waits, and gives whether it was cancelled.
asio::awaitable<bool> wait_for(std::shared_ptr<one_shot_event> what) {
  co_await what->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

TEST_CASE("a wait ends when its event is set, and not before") {
  stepping_context context;
  auto what = std::make_shared<one_shot_event>();
  auto waiting = context.spawn(wait_for(what));
  context.run();
  CHECK_FALSE(waiting.done());
  CHECK_FALSE(what->is_set());
  what->set();
  CHECK(what->is_set());
  CHECK_FALSE(waiting.done());  // never inside wake
  context.run();
  CHECK_FALSE(waiting.get());
}

TEST_CASE("a wait for an event that was set before does not wait, and does not nest either") {
  stepping_context context;
  auto what = std::make_shared<one_shot_event>();
  what->set();
  CHECK(context.run(wait_for(what)) == false);

  auto many = []() -> asio::awaitable<void> {
    for (int i = 0; i < 50'000; ++i) {
      one_shot_event each;
      each.set();
      co_await each.wait();
    }
  };
  context.run(many());
}

TEST_CASE("setting an event again does nothing") {
  stepping_context context;
  auto what = std::make_shared<one_shot_event>();
  auto waiting = context.spawn(wait_for(what));
  context.run();
  for (int i = 0; i < 3; ++i) what->set();
  CHECK(context.run() == 1);
  CHECK(waiting.done());
  what->set();
  CHECK(context.run() == 0);
}

TEST_CASE("an event that nobody waits for may be set, and may go") {
  one_shot_event unused;
  one_shot_event woken;
  woken.set();
  CHECK(woken.is_set());
  CHECK_FALSE(unused.is_set());
}

TEST_CASE("the coroutine resumes on its own executor, whichever thread sets the event", "[A2]") {
  stepping_context here, there;
  auto what = std::make_shared<one_shot_event>();
  auto waiting = here.spawn(wait_for(what));
  here.run();
  asio::post(there.get_executor(), [&] { what->set(); });
  there.run();
  CHECK(there.pending() == 0);
  CHECK_FALSE(waiting.done());
  CHECK(here.pending() == 1);
  here.run();
  CHECK(waiting.done());
}

TEST_CASE("events that are set together end their waits in that order, each by itself", "[A2]") {
  stepping_context here, there;
  std::vector<std::shared_ptr<one_shot_event>> events;
  std::vector<spawned<bool>> waiting;
  for (int i = 0; i < 6; ++i) {
    events.push_back(std::make_shared<one_shot_event>());
    // The last two wait on another executor.
    waiting.push_back((i < 4 ? here : there).spawn(wait_for(events.back())));
  }
  here.run();
  there.run();
  {
    event_batch together;
    for (const auto& each : events) together.set(*each);
    together.set(*events.front());  // again
    events.clear();                 // their coroutines have them
  }
  CHECK(here.pending() == 1);
  CHECK(there.pending() == 1);
  for (std::size_t done = 0; done < 4; ++done) {
    for (std::size_t i = 0; i < 4; ++i) CHECK(waiting[i].done() == (i < done));
    here.step();
  }
  there.run();
  for (auto& each : waiting) CHECK_FALSE(each.get());
}

TEST_CASE("a coroutine that throws keeps no other one from going on with it") {
  asio::io_context context;
  std::vector<std::shared_ptr<one_shot_event>> events;
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    events.push_back(std::make_shared<one_shot_event>());
    asio::co_spawn(context, wait_for(events.back()), [&ended](std::exception_ptr, bool) {
      if (++ended == 2) throw std::runtime_error("the second of them");
    });
  }
  context.poll();
  {
    event_batch together;
    for (const auto& each : events) together.set(*each);
  }
  context.restart();
  CHECK_THROWS_AS(context.poll(), std::runtime_error);
  CHECK(ended == 2);
  context.poll();
  CHECK(ended == 3);
}

TEST_CASE("events that are set together and whose context is destroyed end with it", "[A12]") {
  auto context = std::make_unique<asio::io_context>();
  std::vector<std::shared_ptr<one_shot_event>> events;
  std::vector<spawned<bool>> waiting;
  for (int i = 0; i < 4; ++i) {
    events.push_back(std::make_shared<one_shot_event>());
    waiting.emplace_back(context->get_executor(), wait_for(events.back()));
  }
  context->poll();
  {
    event_batch together;
    for (const auto& each : events) together.set(*each);
  }
  SECTION("none of them has gone on") {}
  SECTION("one of them has gone on") { context->poll_one(); }
  context.reset();
  for (const auto& each : events) CHECK(each.use_count() == 1);
}

TEST_CASE("a cancelled wait ends as if set, and the coroutine can tell", "[A9]") {
  stepping_context context;
  auto what = std::make_shared<one_shot_event>();
  auto waiting = context.spawn(wait_for(what));
  context.run();
  SECTION("cancelled alone") {
    waiting.cancel();
    CHECK(what->is_set());
  }
  SECTION("cancelled before it is woken") {
    waiting.cancel();
    what->set();
  }
  SECTION("cancelled after it was woken, before it resumes") {
    what->set();
    waiting.cancel();
  }
  context.run();
  CHECK(waiting.get());
}

TEST_CASE("cancelling after the wait touches the event no more", "[A9]") {
  stepping_context context;
  auto what = std::make_shared<one_shot_event>();
  auto work = [](std::shared_ptr<one_shot_event> mine) -> asio::awaitable<void> {
    co_await mine->wait();
    mine.reset();
    co_await asio::post(asio::use_awaitable);
  };
  auto waiting = context.spawn(work(what));
  context.run();
  what->set();
  what.reset();
  context.step();
  waiting.cancel();  // under a sanitizer
  context.run();
  CHECK(waiting.done());
}

TEST_CASE("a context that goes takes the waiting coroutine with it", "[A12]") {
  auto what = std::make_shared<one_shot_event>();
  auto kept = std::make_shared<int>(1);
  auto work = [](std::shared_ptr<one_shot_event> mine,
                 std::shared_ptr<int>) -> asio::awaitable<void> { co_await mine->wait(); };
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
    what->set();
  }
  SECTION("an io_context too") {
    asio::io_context context;
    const spawned<void> waiting(context.get_executor(), work(what, kept));
    context.poll();
    CHECK_FALSE(waiting.done());
  }
  CHECK(kept.use_count() == 1);
  what->set();  // nobody is there
  CHECK(what->is_set());
}

TEST_CASE("an event may be set by another thread at any moment") {
  for (int round = 0; round < msgbus_test::rounds(2000); ++round) {
    asio::io_context context(1);
    auto what = std::make_shared<one_shot_event>();
    const spawned<bool> waiting(context.get_executor(), wait_for(what));
    std::thread other([what] { what->set(); });
    context.run();
    other.join();
    REQUIRE(waiting.done());
  }
}

TEST_CASE("a context may be destroyed while another thread wakes its waiting coroutines", "[A12]") {
  struct round {
    std::optional<asio::io_context> context{std::in_place, 1};
    std::shared_ptr<one_shot_event> what = std::make_shared<one_shot_event>();
    std::shared_ptr<int> kept = std::make_shared<int>(1);
  };
  const auto work = [](std::shared_ptr<one_shot_event> mine,
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
      all[i].what->set();
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
      asio::post(context.get_executor(), [copy = what] { copy->set(); });
    }
    std::shared_ptr<one_shot_event> what = std::make_shared<one_shot_event>();
    spawned<bool> waiting;
  };
  const auto report = cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 3);
}

}  // namespace one_shot_event_test
