// Plain functions on another executor, alone and as handlers with a policy.

#include "async/offload.hpp"

#include <msgbus/async.hpp>
#include <msgbus/detail/core/cause.hpp>
#include <msgbus/testing/faults.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/thread_pool.hpp>

#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace offload_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::detail::offload;
using msgbus::async::detail::offloaded;
using msgbus::testing::faults;
using msgbus::testing::stepping_context;
using msgbus_test::is_aborted;
using namespace std::chrono_literals;

namespace {

struct placed {
  int id = 0;
};

struct scene {
  stepping_context here;
  std::optional<stepping_context> there{std::in_place};
  consumer events{here.get_executor()};
  int ran = 0;
};

}  // namespace

TEST_CASE("a function is one step on the other executor, and is destroyed when the caller goes on",
          "[A2]") {
  scene t;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  std::function<void()> work = [&t, held = std::move(held)] { t.ran += *held; };
  auto running = t.here.spawn(offload(t.there->get_executor(), std::move(work)));
  t.here.run();
  CHECK(t.there->run() == 1);
  CHECK(t.ran == 1);
  CHECK(watched.expired());
  CHECK_FALSE(running.done());
  t.here.run();
  REQUIRE(running.done());
  CHECK(running.get().failure == nullptr);
}

TEST_CASE("a function on another executor has its cause, and its exception comes back") {
  scene t;
  const auto origin = std::make_shared<const msgbus::origin>();
  const msgbus::origin* seen = nullptr;
  std::function<void()> work = [&] {
    seen = msgbus::detail::current_origin();
    throw std::runtime_error("no");
  };
  // The cause is that of the thread when the function is sent away.
  const msgbus::detail::shared_origin cause = origin;
  auto running = t.here.spawn(offload(t.there->get_executor(), work));
  {
    const msgbus::detail::cause_scope scope(&cause);
    t.here.run();
  }
  t.there->run();
  t.here.run();
  CHECK(seen == origin.get());
  CHECK(msgbus::detail::current_origin() == nullptr);
  CHECK(running.get().failure != nullptr);
}

TEST_CASE("a plain handler with an executor costs one step there", "[A2]") {
  scene t;
  const msgbus::policy elsewhere{.executor = t.there->get_executor()};
  t.events.handler([&](const placed& event) { t.ran += event.id; }, elsewhere);
  auto consumed = t.here.spawn(t.events.consume(placed{1}));
  t.here.run();
  CHECK(t.there->run() == 1);
  t.here.run();
  CHECK(consumed.get() == 1);

  msgbus::async::service commands(t.here.get_executor());
  const auto add = commands.handler(
      "add", [](int a, const msgbus::context&, int b) { return a + b; }, elsewhere);
  auto executed = t.here.spawn(add(1, 2));
  t.here.run();
  CHECK(t.there->run() == 1);
  t.here.run();
  CHECK(executed.get() == 3);

  (void)t.events.post(placed{1});
  t.here.run();
  CHECK(t.there->run() == 1);
  t.here.run();
  CHECK(t.ran == 2);
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("a plain handler elsewhere that fails is tried again there", "[I1]") {
  scene t;
  const auto failing = faults::nth(1);
  t.events.handler(
      failing.wrap([&](const placed&) { ++t.ran; }),
      {.executor = t.there->get_executor(), .retry = {.attempts = 3, .backoff = 0ms, .jitter = 0}});
  auto running = t.here.spawn(t.events.consume(placed{}));
  while (!running.done()) {
    t.here.run_until([&] { return running.done() || t.there->pending() > 0; }, 10s);
    t.there->run();
  }
  CHECK(running.get() == 1);
  CHECK(failing.calls() == 2);
  CHECK(t.ran == 1);
}

TEST_CASE("a cancelled verb gives up a plain handler that has not begun elsewhere", "[A9]") {
  scene t;
  t.events.handler([&](const placed&) { ++t.ran; }, {.executor = t.there->get_executor()});
  auto running = t.here.spawn(t.events.consume(placed{}));
  t.here.run();
  running.cancel();
  t.here.run();
  REQUIRE(running.done());
  CHECK(is_aborted(running.failure()));
  CHECK(t.there->run() == 1);
  CHECK(t.ran == 0);
  CHECK(t.events.stats().abandoned == 1);
}

TEST_CASE("a cancelled verb waits for a plain handler that runs elsewhere", "[A1][A9]") {
  scene t;
  asio::thread_pool pool(1);
  std::latch begun(1), go_on(1);
  t.events.handler(
      [&](const placed&) {
        begun.count_down();
        go_on.wait();
        ++t.ran;
      },
      {.executor = pool.get_executor()});
  auto running = t.here.spawn(t.events.consume(placed{}));
  t.here.run();
  begun.wait();
  running.cancel();
  t.here.run();
  CHECK_FALSE(running.done());
  running.cancel();
  t.here.run();
  CHECK_FALSE(running.done());
  go_on.count_down();
  CHECK(t.here.run_until([&] { return running.done(); }, 30s));
  CHECK(t.ran == 1);
  CHECK(t.events.stats().handled == 1);
  pool.join();
}

TEST_CASE("a plain handler fails whose executor's context ends before it begins", "[A12][A7]") {
  scene t;
  t.events.handler([&](const placed&) { ++t.ran; },
                   {.executor = t.there->get_executor(), .retry = {.attempts = 3}});
  (void)t.events.post(placed{});
  (void)t.events.post(placed{});
  t.here.run();
  t.there.reset();
  t.here.run();
  CHECK(t.ran == 0);
  CHECK(t.events.stats().failed == 2);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("a plain handler elsewhere outlives the context of its consumer", "[A12]") {
  auto elsewhere = std::make_unique<stepping_context>();
  auto ran = std::make_shared<int>(0);
  {
    stepping_context here;
    consumer events(here.get_executor());
    events.handler([ran](const placed&) { ++*ran; }, {.executor = elsewhere->get_executor()});
    (void)events.post(placed{});
    here.run();
  }
  CHECK(elsewhere->run() == 1);
  elsewhere.reset();
  CHECK(ran.use_count() == 1);
}

}  // namespace offload_test
