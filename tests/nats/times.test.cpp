#include "nats/times.hpp"

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace times_test {

using msgbus::nats::blocking_thread;
using msgbus::nats::deadline;
using msgbus::nats::milliseconds;
using msgbus::nats::nanoseconds;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using duration = deadline::duration;
using namespace std::chrono_literals;

namespace {

constexpr auto past = blocking_thread::time_point::min();

/// Blocks the thread from its construction to `end`.
class busy {
 public:
  explicit busy(blocking_thread& thread) {
    std::promise<void> begun;
    auto has_begun = begun.get_future();
    auto job = std::make_shared<std::promise<void>>(std::move(begun));
    thread.run([job, until = end_.get_future().share()] {
      job->set_value();
      until.wait();
    });
    has_begun.wait();
  }
  void end() { end_.set_value(); }

 private:
  std::promise<void> end_;
};

void wait_for_all(blocking_thread& thread) {
  std::promise<void> done;
  thread.at(std::chrono::steady_clock::now(), [&] { done.set_value(); });
  done.get_future().wait();
}

}  // namespace

TEST_CASE("jobs run one at a time, in the order of their times, and then of arrival") {
  blocking_thread thread;
  std::vector<int> ran;
  busy first(thread);
  thread.at(past + 2s, [&] { ran.push_back(3); });
  thread.at(past + 1s, [&] { ran.push_back(1); });
  thread.at(past + 1s, [&] { ran.push_back(2); });
  CHECK(ran.empty());
  first.end();
  wait_for_all(thread);
  CHECK(ran == std::vector<int>{1, 2, 3});
}

TEST_CASE("a job does not run before its time, and does not delay others") {
  blocking_thread thread;
  bool ran = false;
  const auto before = std::chrono::steady_clock::now();
  std::promise<void> done;
  thread.at(before + 1h, [&] { ran = true; });
  thread.at(before + 5ms, [&] { done.set_value(); });
  done.get_future().wait();
  CHECK(std::chrono::steady_clock::now() - before >= 5ms);
  CHECK_FALSE(ran);
}

TEST_CASE("jobs that have not begun are destroyed, with their captures") {
  const auto held = std::make_shared<int>(0);
  {
    blocking_thread thread;
    thread.at(std::chrono::steady_clock::now() + 1h, [held] { ++*held; });
    thread.at(blocking_thread::time_point::max(), [held] { ++*held; });
    CHECK(held.use_count() == 3);
  }
  CHECK(held.use_count() == 1);
  CHECK(*held == 0);
}

TEST_CASE("the destructor waits for the job that runs") {
  bool ended = false;
  {
    blocking_thread thread;
    busy first(thread);
    thread.run([] {});
    first.end();
    wait_for_all(thread);
    std::promise<void> begun;
    thread.run([&] {
      begun.set_value();
      ended = true;
    });
    begun.get_future().wait();
  }
  CHECK(ended);
}

TEST_CASE("a thread may be destroyed by its own job, and accepts no more jobs") {
  auto thread = std::make_unique<blocking_thread>();
  blocking_thread& at = *thread;
  std::promise<void> done;
  auto destroyed = done.get_future();
  const auto held = std::make_shared<int>(0);
  at.at(std::chrono::steady_clock::now() + 1h, [held] { ++*held; });
  at.run([&] {
    thread.reset();
    done.set_value();
  });
  destroyed.wait();
  CHECK(held.use_count() == 1);
}

TEST_CASE("the longest duration is limited to one that a server can add to a date") {
  CHECK(nanoseconds(5ns) == 5);
  CHECK(nanoseconds(-5ns) == -5);
  CHECK(nanoseconds(30s) == 30'000'000'000);
  const std::chrono::nanoseconds in_2100 = std::chrono::hours(24 * 47482);
  CHECK(duration::max().count() - in_2100.count() > nanoseconds(duration::max()));
  CHECK(nanoseconds(duration::max()) > nanoseconds(std::chrono::hours(24 * 36499)));
}

TEST_CASE("the longest duration is limited to one that nats.c can store") {
  CHECK(milliseconds(2s) == 2000);
  CHECK(milliseconds(1ns) == 1);
  CHECK(milliseconds(duration::zero()) == 1);
  CHECK(milliseconds(duration::min()) == 1);
  CHECK(milliseconds(duration::max()) == 2'147'483'647);
}

TEST_CASE("the earlier of two deadlines counts") {
  stepping_context context;
  manual_clock clock(context);
  const deadline until(context.get_executor(), 10s);
  CHECK(until.left() == 10s);
  CHECK(until.or_sooner(2s).left() == 2s);
  clock.advance(9s);
  CHECK(until.or_sooner(2s).left() == 1s);
  CHECK_FALSE(until.is_over());
  clock.advance(2s);
  CHECK(until.left() == 0s);
  CHECK(until.is_over());
}

}  // namespace times_test
