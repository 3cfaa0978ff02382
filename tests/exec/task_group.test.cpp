#include "exec/task_group.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace task_group_test {

using msgbus::exec::child_executor;
using msgbus::exec::one_shot_event;
using msgbus::exec::task_group;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;

namespace {

asio::awaitable<void> turns(int many, std::string& log, char name) {
  for (int i = 0; i < many; ++i) co_await asio::post(asio::use_awaitable);
  log += name;
}

asio::awaitable<void> fail(const char* why) {
  co_await asio::post(asio::use_awaitable);
  throw std::runtime_error(why);
}

asio::any_io_executor strand_over(const asio::any_io_executor& executor) {
  return child_executor(executor, executor, true);
}

// Waits until the gate is set, or the wait is cancelled; then takes a few turns more.
asio::awaitable<void> wait_at(std::shared_ptr<one_shot_event> gate, std::string& log) {
  co_await gate->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  log += state.cancelled() == asio::cancellation_type::none ? 'w' : 'c';
  co_await asio::this_coro::throw_if_cancelled(false);
  for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
  log += 'e';
}

bool was_aborted(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const asio::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}

}  // namespace

TEST_CASE("joining waits for every task, in whatever order they end", "[A1][A3]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    stepping_context context(shuffled{seed});
    std::string log;
    auto owner = [&]() -> asio::awaitable<void> {
      task_group all;
      for (int i = 0; i < 4; ++i) {
        all.start(context.get_executor(), turns(4 - i, log, static_cast<char>('a' + i)));
      }
      CHECK(all.size() == 4);
      co_await all.join();
      log += '.';
    };
    context.run(owner());
    CHECK(log.size() == 5);
    CHECK(log.back() == '.');
  }
}

TEST_CASE("tasks run at the same time", "[A3]") {
  stepping_context context;
  std::string log;
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(context.get_executor(), turns(3, log, 'a'));
    all.start(context.get_executor(), turns(1, log, 'b'));
    co_await all.join();
  };
  context.run(owner());
  CHECK(log == "ba");
}

TEST_CASE("joining no tasks is done at once") {
  stepping_context context;
  auto owner = []() -> asio::awaitable<void> {
    task_group none;
    co_await none.join();
  };
  auto running = context.spawn(owner());
  CHECK(context.run() <= 2);
  CHECK(running.done());
}

TEST_CASE("the exception of each task is kept, and the others run to their end", "[A1][D2]") {
  stepping_context context;
  std::string log;
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(context.get_executor(), fail("first"));
    all.start(context.get_executor(), turns(5, log, 'a'));
    all.start(context.get_executor(), fail("third"));
    co_await all.join();
    CHECK(log == "a");
    CHECK_THROWS_WITH(std::rethrow_exception(all.failure(0)), "first");
    CHECK(all.failure(1) == nullptr);
    CHECK_THROWS_WITH(std::rethrow_exception(all.failure(2)), "third");
  };
  context.run(owner());
}

TEST_CASE("the owner resumes on its own executor, each task runs on its own", "[A2]") {
  stepping_context here, there;
  std::string log;
  auto work = [&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    CHECK(msgbus::exec::runs_on(executor, there.get_executor()));
    log += 't';
  };
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(there.get_executor(), work());
    co_await all.join();
    log += 'h';
  };
  auto running = here.spawn(owner());
  here.run();
  CHECK(log.empty());
  there.run();
  CHECK(log == "t");
  here.run();
  CHECK(log == "th");
  CHECK(running.done());
}

TEST_CASE("cancelling a join cancels the tasks, and still waits for all of them", "[A1][A9]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    stepping_context context(shuffled{seed});
    std::string log;
    auto gate = std::make_shared<one_shot_event>(), other = std::make_shared<one_shot_event>();
    bool joined = false;
    auto owner = [&]() -> asio::awaitable<void> {
      task_group all;
      all.start(strand_over(context.get_executor()), wait_at(gate, log));
      all.start(strand_over(context.get_executor()), wait_at(other, log));
      co_await all.join();
      joined = true;
      CHECK(all.failure(0) == nullptr);
      co_await asio::post(asio::use_awaitable);  // as anything after a cancellation, it throws
    };
    auto running = context.spawn(owner());
    context.run();
    CHECK(log.empty());
    running.cancel();
    context.run();
    CHECK(joined);
    CHECK(running.done());
    CHECK(was_aborted(running.failure()));
    CHECK(std::count(log.begin(), log.end(), 'c') == 2);
    CHECK(std::count(log.begin(), log.end(), 'e') == 2);
  }
}

TEST_CASE("cancelling at any step leaves nothing running", "[A1][A9]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (int steps = 0; steps < 20; ++steps) {
      stepping_context context(shuffled{seed});
      std::string log;
      auto owner = [&]() -> asio::awaitable<void> {
        task_group all;
        all.start(strand_over(context.get_executor()), turns(3, log, 'a'));
        all.start(strand_over(context.get_executor()), turns(5, log, 'b'));
        co_await all.join();
        log += '.';
      };
      auto running = context.spawn(owner());
      for (int i = 0; i < steps; ++i) context.step();
      running.cancel();
      context.run();
      REQUIRE(running.done());
      CHECK((log.empty() || log.back() == '.'));
    }
  }
}

TEST_CASE("tasks can be cancelled without the owner", "[A9]") {
  stepping_context context;
  std::string log;
  auto gate = std::make_shared<one_shot_event>();
  auto all = std::make_shared<task_group>();
  auto owner = [&]() -> asio::awaitable<void> { co_await all->join(); };
  all->start(strand_over(context.get_executor()), wait_at(gate, log));
  auto running = context.spawn(owner());
  context.run();
  all->cancel(asio::cancellation_type::terminal);
  context.run();
  CHECK(running.done());
  CHECK(running.failure() == nullptr);
  CHECK(log == "ce");
  all->cancel(asio::cancellation_type::terminal);  // it has ended
  CHECK(context.run() == 0);
}

TEST_CASE("a task that is cancelled before its first line never begins, and is not waited for",
          "[A1][A9]") {
  stepping_context here, there;
  std::string log;
  auto kept = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = kept;
  auto work = [](std::shared_ptr<int>, std::string& to) -> asio::awaitable<void> {
    to += 'b';
    co_return;
  };
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(child_executor(here.get_executor(), there.get_executor(), true),
              work(std::move(kept), log));
    all.start(strand_over(here.get_executor()), turns(2, log, 'h'));
    co_await all.join();
    CHECK(all.was_given_up(0));
    CHECK(was_aborted(all.failure(0)));
    CHECK_FALSE(all.was_given_up(1));
  };
  auto running = here.spawn(owner());
  for (int i = 0; i < 3; ++i) here.step();
  running.cancel();
  here.run();
  CHECK(running.done());
  CHECK(seen.expired());  // what the work referred to has gone
  there.run();
  CHECK(log.find('b') == std::string::npos);
}

TEST_CASE("a cancelled join may leave the tasks alone", "[A9]") {
  stepping_context context;
  std::string log;
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(strand_over(context.get_executor()), turns(5, log, 'a'));
    co_await all.join(task_group::when_cancelled::leave_tasks);
    const auto state = co_await asio::this_coro::cancellation_state;
    log += state.cancelled() == asio::cancellation_type::none ? '-' : 'c';
  };
  auto running = context.spawn(owner());
  for (int i = 0; i < 4; ++i) context.step();
  running.cancel();
  context.run();
  CHECK(running.done());
  CHECK(log == "ac");
}

TEST_CASE("a task whose context goes has failed, and the owner goes on", "[A12]") {
  stepping_context here;
  std::optional<stepping_context> there(std::in_place);
  std::string log;
  bool aborted = false;
  auto gate = std::make_shared<one_shot_event>();
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(strand_over(there->get_executor()), wait_at(gate, log));
    all.start(here.get_executor(), turns(2, log, 'a'));
    co_await all.join();
    aborted = was_aborted(all.failure(0));
  };
  auto running = here.spawn(owner());
  here.run();
  SECTION("before it began") {}
  SECTION("while it waits") { there->run(); }
  CHECK_FALSE(running.done());
  there.reset();
  here.run();
  CHECK(running.done());
  CHECK(aborted);
  CHECK(log == "a");
}

TEST_CASE("a task on an executor whose context has ended has failed, and the owner goes on",
          "[A12]") {
  stepping_context here;
  CHECK_FALSE(child_executor(here.get_executor(), asio::any_io_executor(), true));
  CHECK_FALSE(msgbus::exec::work_on(asio::any_io_executor()));
  std::string log;
  task_group all;
  const auto own = [&]() -> asio::awaitable<void> {
    all.start(asio::any_io_executor(), turns(1, log, 'n'));
    all.start(here.get_executor(), turns(2, log, 'h'));
    co_await all.join();
  };
  here.run(own());
  CHECK(log == "h");
  CHECK(msgbus::exec::is_aborted(all.failure(0)));
  CHECK(all.has_lost_context(0));
  CHECK_FALSE(all.failure(1));
}

TEST_CASE("tasks outlive an owner whose context goes", "[A12]") {
  std::optional<stepping_context> here(std::in_place);
  stepping_context there;
  std::string log;
  auto gate = std::make_shared<one_shot_event>();
  auto owner = [&]() -> asio::awaitable<void> {
    task_group all;
    all.start(strand_over(there.get_executor()), wait_at(gate, log));
    co_await all.join();
    log += '!';
  };
  (void)here->spawn(owner());
  here->run();
  there.run();
  here.reset();
  gate->set();
  there.run();
  CHECK(log == "we");
}

TEST_CASE("tasks and their owner are taken down safely at every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context) : running(context.spawn(own(log, context))) {}
    static asio::awaitable<void> own(std::shared_ptr<std::string> log, stepping_context& context) {
      task_group all;
      all.start(strand_over(context.get_executor()), turns(3, *log, 'a'));
      all.start(context.get_executor(), turns(2, *log, 'b'));
      all.start(strand_over(context.get_executor()), fail("no luck"));
      co_await all.join();
    }
    std::shared_ptr<std::string> log = std::make_shared<std::string>();
    msgbus::testing::spawned<void> running;
  };
  std::vector<std::shared_ptr<std::string>> kept;  // a task outlives its owner
  const auto report = cut_off_at_every_step([&](stepping_context& context) {
    auto made = std::make_unique<scenario>(context);
    kept.push_back(made->log);
    return made;
  });
  CHECK(report.steps > 5);
}

TEST_CASE("a task's context may be destroyed while another thread cancels it", "[A12][A9]") {
  struct round {
    std::optional<asio::io_context> there{std::in_place, 1};
    std::unique_ptr<task_group> all = std::make_unique<task_group>();
  };
  const auto work = [](std::shared_ptr<one_shot_event> gate) -> asio::awaitable<void> {
    co_await gate->wait();
  };
  std::vector<round> rounds(static_cast<std::size_t>(msgbus_test::rounds(500)));
  for (round& each : rounds) {
    each.all->start(strand_over(each.there->get_executor()),
                    work(std::make_shared<one_shot_event>()));
    each.there->poll();
  }
  std::atomic<std::size_t> next{0};
  std::thread other([&] {
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      while (next.load(std::memory_order_relaxed) < i) std::this_thread::yield();
      rounds[i].all->cancel(asio::cancellation_type::terminal);
    }
  });
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    next.store(i, std::memory_order_relaxed);
    rounds[i].there.reset();
  }
  other.join();
  for (const round& each : rounds) CHECK(was_aborted(each.all->failure(0)));
}

}  // namespace task_group_test
