#include "transport/reply_timer.hpp"

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace reply_timer_test {

using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus::transport::reply_timer;
using msgbus::transport::reply_timers;
using namespace std::chrono_literals;

namespace {

struct noting final : reply_timer::wait {
  explicit noting(std::vector<std::string>& in, std::string as) : log(in), name(std::move(as)) {}
  void time_is_over() noexcept override { log.push_back(name); }
  std::vector<std::string>& log;
  const std::string name;
};

}  // namespace

TEST_CASE("waits of one executor share a timer, and expire in the order of their times") {
  stepping_context context;
  manual_clock clock(context);
  reply_timers timers;
  std::vector<std::string> log;
  const auto late = std::make_shared<noting>(log, "late");
  const auto soon = std::make_shared<noting>(log, "soon");
  const auto left = std::make_shared<noting>(log, "left");
  late->begin(timers.of(context.get_executor()), 3s);
  soon->begin(timers.of(context.get_executor()), 1s);
  left->begin(timers.of(context.get_executor()), 2s);
  CHECK(clock.waiting() == 1);
  clock.run_for(context, 999ms);
  CHECK(log.empty());
  left->leave();
  clock.run_for(context, 1ms);
  CHECK(log == std::vector<std::string>{"soon"});
  clock.run_for(context, 1999ms);
  CHECK(log.size() == 1);
  clock.run_for(context, 1ms);
  CHECK(log == std::vector<std::string>{"soon", "late"});
  CHECK(clock.waiting() == 0);
}

TEST_CASE("a timer whose waits have left does not keep its context running") {
  asio::io_context context;
  reply_timers timers;
  std::vector<std::string> log;
  const auto one = std::make_shared<noting>(log, "one");
  one->begin(timers.of(context.get_executor()), 24h);
  context.poll();
  CHECK_FALSE(context.stopped());
  one->leave();
  one->leave();
  context.run();
  CHECK(log.empty());
}

TEST_CASE("a destroyed wait is not notified") {
  stepping_context context;
  manual_clock clock(context);
  reply_timers timers;
  std::vector<std::string> log;
  auto one = std::make_shared<noting>(log, "one");
  one->begin(timers.of(context.get_executor()), 1s);
  one.reset();
  CHECK(clock.waiting() == 0);
  clock.run_for(context, 2s);
  CHECK(log.empty());
}

TEST_CASE("more executors than there are places wait at the same time, each with its own timer") {
  asio::io_context context;
  reply_timers timers;
  std::vector<std::string> log;
  std::vector<asio::strand<asio::io_context::executor_type>> strands;
  std::vector<std::shared_ptr<noting>> waits;
  for (int i = 0; i < 10; ++i) {
    strands.emplace_back(asio::make_strand(context));
    waits.push_back(std::make_shared<noting>(log, std::to_string(i)));
    waits.back()->begin(timers.of(strands.back()), 0s);
  }
  CHECK(timers.of(strands.back()) == timers.of(strands.back()));
  CHECK(timers.of(strands.front()) != timers.of(strands.back()));
  context.run();
  CHECK(log.size() == waits.size());
}

TEST_CASE("a wait whose context was destroyed leaves, and a new context has a new timer", "[A12]") {
  reply_timers timers;
  std::vector<std::string> log;
  const auto one = std::make_shared<noting>(log, "one");
  {
    asio::io_context context;
    one->begin(timers.of(context.get_executor()), 0s);
  }
  one->leave();
  asio::io_context context;
  const auto other = std::make_shared<noting>(log, "other");
  other->begin(timers.of(context.get_executor()), 0s);
  context.run();
  CHECK(log == std::vector<std::string>{"other"});
}

}  // namespace reply_timer_test
