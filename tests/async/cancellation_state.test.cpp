// Whatever users' coroutines do to their cancellation state: the library knows what is cancelled,
// and so do their callers.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cancellation_state_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

/// What a coroutine may do to its state, and to that of all that it is awaited by in one spawn.
enum class change { reset, total, disable, no_throw, all_of_it };
constexpr change every_change[] = {change::reset, change::total, change::disable, change::no_throw,
                                   change::all_of_it};

awaitable<void> make(change what) {
  if (what == change::reset) co_await asio::this_coro::reset_cancellation_state();
  if (what == change::total) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  if (what == change::disable || what == change::all_of_it) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  }
}

/// Waits; when it is cancelled it changes its state, says good-bye, and throws on.
awaitable<void> wait_and_change(gate open, change what) {
  std::exception_ptr failure;
  try {
    co_await open.wait();
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await make(what);
  co_await asio::this_coro::throw_if_cancelled(what != change::no_throw &&
                                               what != change::all_of_it);
  co_await hop(2);
  if (failure) std::rethrow_exception(failure);
}

/// One of each component here, a consumer elsewhere, and all that may be awaited of them.
struct scene {
  explicit scene(change what, msgbus::policy how = {}) {
    const auto handle = [this, what]() -> awaitable<void> {
      ++begun;
      co_await wait_and_change(never, what);
    };
    for (consumer* const each : {&first, &second, &away}) {
      each->handler([handle](const numbered&) { return handle(); }, how);
      each->handler([this](const numbered&) { ++next; });
      each->handler([this](const numbered&) -> awaitable<void> {
        ++next;
        co_await hop();
      });
      each->observe(std::make_shared<msgbus::observer>());
    }
    topics.observe(std::make_shared<msgbus::observer>());
    topics.subscribe("a", [handle](int) { return handle(); }, how);
    topics.subscribe("*", [this](int) { ++next; });
    update = commands.handler("update", [handle](int) { return handle(); }, how);
    updated = far.handler("update", [handle](int) { return handle(); }, how);
    one.bind(first);
    all.bind(first, second, away);
    paper.bind(topics);
  }

  void run() {
    while (context.run() + elsewhere.run() != 0) {
    }
  }
  [[nodiscard]] msgbus::counters total() const {
    msgbus::counters sum;
    for (const msgbus::counters& each : {first.stats(), second.stats(), away.stats(),
                                         topics.stats(), commands.stats(), far.stats()}) {
      CHECK(is_conserved(each));
      sum.handled += each.handled;
      sum.failed += each.failed;
      sum.abandoned += each.abandoned;
    }
    return sum;
  }

  stepping_context context, elsewhere;
  manual_clock clock{context};
  gate never;
  int begun = 0, next = 0;
  std::unique_ptr<consumer> first_owner = std::make_unique<consumer>(context.get_executor());
  consumer& first = *first_owner;
  consumer second{context.get_executor()};
  consumer away{elsewhere.get_executor()};
  subscriber topics{context.get_executor()};
  service commands{context.get_executor()}, far{elsewhere.get_executor()};
  msgbus::async::operation<void(int)> update, updated;
  producer one, all;
  publisher paper;
};

struct verb {
  const char* name;
  awaitable<void> (*call)(scene&);
  std::uint64_t components = 1;
};

const verb verbs[] = {
    {"consume", [](scene& in) -> awaitable<void> { (void)co_await in.first.consume<numbered>(1); }},
    {"consume elsewhere",
     [](scene& in) -> awaitable<void> { (void)co_await in.away.consume<numbered>(1); }},
    {"dispatch to one",
     [](scene& in) -> awaitable<void> { (void)co_await in.one.dispatch<numbered>(1); }},
    {"dispatch to several",
     [](scene& in) -> awaitable<void> { (void)co_await in.all.dispatch<numbered>(1); }, 3},
    {"receive", [](scene& in) -> awaitable<void> { (void)co_await in.topics.receive(1, "a"); }},
    {"publish", [](scene& in) -> awaitable<void> { (void)co_await in.paper.publish(1, "a"); }},
    {"execute", [](scene& in) -> awaitable<void> { co_await in.commands.execute("update", 1); }},
    {"operation", [](scene& in) -> awaitable<void> { co_await in.update(1); }},
    {"operation elsewhere", [](scene& in) -> awaitable<void> { co_await in.updated(1); }},
};

/// The caller of a verb, and what it sees of its own cancellation afterwards.
struct seen_by_caller {
  bool state = false;
  bool threw = false;
};
awaitable<void> call(awaitable<void> verb, seen_by_caller& seen) {
  std::exception_ptr failure;
  try {
    co_await std::move(verb);
  } catch (...) {
    failure = std::current_exception();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  seen.state = state.cancelled() != asio::cancellation_type::none;
  try {
    co_await hop();
  } catch (...) {
    seen.threw = is_aborted(std::current_exception());
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("a verb is abandoned, and its caller cancelled, whatever its handlers do to their state",
          "[A1][A7][A9]") {
  for (const verb& each : verbs) {
    for (const change what : every_change) {
      for (std::size_t policy = 0; policy < 5; ++policy) {
        INFO(each.name << ", change " << static_cast<int>(what) << ", policy " << policy);
        stepping_context pool;
        msgbus::policy how;
        if (policy == 1 || policy == 3) how.retry = {.attempts = 3, .backoff = 1ms};
        if (policy == 2 || policy == 3) how.timeout = 1h;
        if (policy == 4) how.executor = pool.get_executor();
        scene in(what, how);
        seen_by_caller seen;
        auto called = in.context.spawn(call(each.call(in), seen));
        const auto run = [&] {
          do {
            in.run();
          } while (pool.run() != 0);
          in.run();
        };
        run();
        CHECK(in.begun == static_cast<int>(each.components));
        called.cancel();
        run();
        CHECK(called.done());  // no attempt is waited for
        in.clock.run_for(in.context, 1min);
        run();
        REQUIRE(called.done());
        CHECK(is_aborted(called.failure()));
        CHECK(seen.state);
        CHECK(seen.threw);
        CHECK(in.begun == static_cast<int>(each.components));
        CHECK(in.next == 0);
        CHECK(in.total().abandoned == each.components);
        CHECK(in.total().failed + in.total().handled == 0);
      }
    }
  }
}

TEST_CASE("a message of a mailbox is abandoned, whatever its handler does to its state",
          "[A7][A10]") {
  for (const change what : every_change) {
    for (const int round : {0, 1, 2, 3}) {
      const bool retries = round % 2 == 1;
      const bool drains = round < 2;
      INFO("change " << static_cast<int>(what) << ", round " << round);
      msgbus::policy how;
      if (retries) how.retry = {.attempts = 3, .backoff = 1ms};
      scene in(what, how);
      const msgbus::testing::probe watching;
      in.first.observe(watching);
      for (int i = 0; i < 2; ++i) (void)in.first.post(numbered{i});
      (void)in.topics.post(1, "a");
      (void)in.commands.post("update", 1);
      in.run();
      CHECK(in.begun == 3);
      if (drains) {
        CHECK(in.clock.run(in.context, in.first.drain(1s)) == msgbus::drain_report{.abandoned = 2});
        CHECK(in.clock.run(in.context, in.topics.drain(1s)) ==
              msgbus::drain_report{.abandoned = 1});
        CHECK(in.clock.run(in.context, in.commands.drain(1s)) ==
              msgbus::drain_report{.abandoned = 1});
        CHECK(in.total().abandoned == 4);
      }
      if (!drains) in.first_owner.reset();
      in.clock.run_for(in.context, 1min);
      in.run();
      CHECK(watching.count(msgbus::testing::seen::abandoned) == 2);
      CHECK(in.begun == 3);
      CHECK(in.next == 0);
    }
  }
}

TEST_CASE("a handler that is out of time has failed, whatever it does to its state", "[A7][A9]") {
  for (const verb& each : verbs) {
    for (const change what : every_change) {
      INFO(each.name << ", change " << static_cast<int>(what));
      msgbus::policy how;
      how.timeout = 10ms;
      how.retry = {.attempts = 2, .backoff = 1ms};
      scene in(what, how);
      const manual_clock there(in.elsewhere);
      seen_by_caller seen;
      auto called = in.context.spawn(call(each.call(in), seen));
      for (int i = 0; i < 100 && !called.done(); ++i) {
        in.run();
        in.clock.advance(1ms);
        const_cast<manual_clock&>(there).advance(1ms);
      }
      in.run();
      REQUIRE(called.done());
      CHECK(in.begun == 2 * static_cast<int>(each.components));
      CHECK(in.total().failed == each.components);
      CHECK(in.total().abandoned == 0);
      CHECK_FALSE(seen.state);
      if (each.components == 1) {
        CHECK(code_of([&] { called.get(); }) == msgbus::errc::timed_out);
      }
    }
  }
}

TEST_CASE("a handler that changes its state changes it for nobody else", "[A9]") {
  enum class whom { next_handler, next_attempt, pause, caller };
  const auto other = GENERATE(whom::next_handler, whom::next_attempt, whom::pause, whom::caller);
  const bool here = GENERATE(true, false);
  for (const change what : every_change) {
    INFO("change " << static_cast<int>(what));
    stepping_context context, elsewhere;
    manual_clock clock(context);
    consumer events(here ? context.get_executor() : elsewhere.get_executor());
    gate never;
    int failures = 0;
    bool cancelled = false;
    const auto wait = [&]() -> awaitable<void> {
      try {
        co_await never.wait();
      } catch (...) {
        cancelled = is_aborted(std::current_exception());
        throw;
      }
    };
    const auto run = [&] {
      while (context.run() + elsewhere.run() != 0) {
      }
    };
    gate open;
    open.open();
    events.handler([&](const numbered&) { return wait_and_change(open, what); });
    seen_by_caller seen;
    if (other == whom::next_handler) {
      events.handler([&](const numbered&) { return wait(); });
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      CHECK(never.came() == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(is_aborted(called.failure()));
      CHECK(events.stats().abandoned == 1);
      CHECK(cancelled);
    }
    if (other == whom::next_attempt) {
      const auto again = [&](const numbered&, const msgbus::context& known) -> awaitable<void> {
        if (known.attempt() == 2) co_await wait();
        co_await wait_and_change(open, what);
        ++failures;
        throw std::runtime_error("the first time");
      };
      events.handler(again, {.retry = {.attempts = 3, .backoff = {}}});
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      while (never.came() == 0 && clock.advance_to_next()) run();
      CHECK(failures == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(cancelled);
      CHECK(events.stats().abandoned == 1);
    }
    if (other == whom::pause) {
      const auto fails = [&](const numbered&) -> awaitable<void> {
        co_await wait_and_change(open, what);
        throw std::runtime_error("every time");
      };
      events.handler(fails, {.retry = {.attempts = 3, .backoff = 1h}});
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(events.stats().abandoned == 1);
    }
    if (other == whom::caller) {
      const auto verb = [&]() -> awaitable<void> {
        (void)co_await events.consume<numbered>(1);
        co_await wait();
      };
      auto called = context.spawn(verb());
      run();
      CHECK(never.came() == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(is_aborted(called.failure()));
      CHECK(cancelled);
    }
  }
}

namespace {

// What the dependencies below do, and have done.
struct {
  change what = change::reset;
  gate never;
  consumer* other = nullptr;
  std::string log;
} deps;

awaitable<int> swallows() {
  std::exception_ptr failure;
  try {
    co_await wait_and_change(deps.never, deps.what);
  } catch (...) {
    failure = std::current_exception();
  }
  deps.log += 's';
  co_return failure ? 1 : 0;  // gives a value although it was cancelled
}

awaitable<void> cleans_up(msgbus::async::yield<int> yield) {
  gate open;
  open.open();
  co_await wait_and_change(open, deps.what);
  std::exception_ptr failure;
  deps.log += '(';
  try {
    co_await yield(1);
  } catch (...) {
    failure = std::current_exception();
  }
  if (is_aborted(failure)) deps.log += 'a';
  co_await hop(2);
  deps.log += std::to_string(co_await deps.other->consume<int>(1));  // verbs may be awaited too
  deps.log += ')';
  co_await wait_and_change(open, deps.what);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("dependencies are cancelled with their handler, whatever they do to their state",
          "[I2][A9]") {
  enum class where { before_the_handler, after_it, around_another };
  const auto place = GENERATE(where::before_the_handler, where::after_it, where::around_another);
  const bool elsewhere_too = GENERATE(true, false);
  const bool sent = GENERATE(false, true);
  for (const change what : every_change) {
    INFO("change " << static_cast<int>(what));
    stepping_context context, elsewhere;
    manual_clock clock(context);
    consumer other(elsewhere_too ? elsewhere.get_executor() : context.get_executor());
    other.handler([](int) -> awaitable<void> { co_await hop(); });
    consumer events(context.get_executor());
    events.observe(std::make_shared<msgbus::observer>());
    deps = {};
    deps.what = what;
    deps.other = &other;
    int handled = 0;
    const auto run = [&] {
      while (context.run() + elsewhere.run() != 0) {
      }
    };
    std::string expected;
    if (place == where::before_the_handler) {
      events.handler([&](const numbered&, msgbus::depends<swallows>) -> awaitable<void> {
        ++handled;
        co_await deps.never.wait();
      });
      expected = "s";
    }
    if (place == where::after_it) {
      events.handler([&](const numbered&, msgbus::depends<cleans_up>) -> awaitable<void> {
        co_await wait_and_change(deps.never, what);
        ++handled;
      });
      expected = "(a1)";
    }
    if (place == where::around_another) {
      events.handler([&](const numbered&, msgbus::depends<cleans_up>,
                         msgbus::depends<swallows>) -> awaitable<void> {
        ++handled;
        co_return;
      });
      expected = "(sa1)";
    }
    if (sent) {
      (void)events.post(numbered{1});
      run();
      CHECK(deps.never.came() == 1);
      auto drained = context.spawn(events.drain(1s));
      run();
      while (!drained.done() && clock.advance_to_next()) run();
      CHECK(drained.get() == msgbus::drain_report{.abandoned = 1});
    } else {
      seen_by_caller seen;
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      CHECK(deps.never.came() == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(is_aborted(called.failure()));
      CHECK(seen.state);
      CHECK(seen.threw);
    }
    CHECK(deps.log == expected);
    CHECK(handled == 0);
    CHECK(events.stats().abandoned == 1);
    CHECK(is_conserved(events.stats()));
  }
}

TEST_CASE("a loop over a stream ends when it is cancelled in a handler that resets its state",
          "[A9]") {
  for (const change what : every_change) {
    stepping_context context;
    consumer events(context.get_executor());
    consumer other(context.get_executor());
    gate never;
    other.handler([&](int) { return wait_and_change(never, what); });
    auto stream = events.stream_of<numbered>();
    int turns = 0;
    const auto loop = [&]() -> awaitable<void> {
      while (const std::optional<numbered> each = co_await stream.next()) {
        ++turns;
        try {
          (void)co_await other.consume<int>(each->n);
        } catch (const asio::system_error&) {
        }
      }
    };
    auto looping = context.spawn(loop());
    for (int i = 0; i < 3; ++i) (void)events.post(numbered{i});
    context.run();
    looping.cancel();
    context.run();
    REQUIRE(looping.done());
    CHECK(is_aborted(looping.failure()));
    CHECK(turns == 1);
    CHECK(stream.size() == 2);
  }
}

}  // namespace cancellation_state_test
