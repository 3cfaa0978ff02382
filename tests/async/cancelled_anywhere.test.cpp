// Each verb is cancelled after every number of steps that it may have taken: nothing is left
// running, nothing is half done, and every message is accounted for.

#include <msgbus/async.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace cancelled_anywhere_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::service;
using msgbus::testing::manual_clock;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::hop;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

int opened = 0;
int cleaned = 0;
awaitable<void> open_session(msgbus::async::yield<int> yield) {
  ++opened;
  std::exception_ptr failure;
  try {
    co_await yield(1);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await hop(2);
  ++cleaned;
  if (failure) std::rethrow_exception(failure);
}

/// Everything that may be cancelled, with what counts who is inside.
struct scene {
  explicit scene(std::uint64_t seed)
      : context(shuffled{seed}), elsewhere(shuffled{seed + 1}), clock(context) {
    for (auto* each : {&first, &second, &away}) {
      each->handler([this](const numbered&) { ++begun, ++ended; });
      each->handler([this](const numbered&, msgbus::depends<open_session>) -> awaitable<void> {
        ++begun;
        const std::shared_ptr<void> end(nullptr, [this](void*) { ++ended; });
        co_await hop(2);
      });
      each->handler(
          [this](const numbered&, const msgbus::context& known) -> awaitable<void> {
            ++begun;
            const std::shared_ptr<void> end(nullptr, [this](void*) { ++ended; });
            co_await hop();
            if (known.attempt() == 1) throw std::runtime_error("the first time");
          },
          {.timeout = 1h, .retry = {.attempts = 2, .backoff = {}}});
      source.bind(*each);
    }
    update = commands.handler("update", [this](int n) -> awaitable<int> {
      ++begun;
      const std::shared_ptr<void> end(nullptr, [this](void*) { ++ended; });
      co_await hop(2);
      co_return n;
    });
  }

  /// False if nothing was left to do.
  bool step() { return context.step() || elsewhere.step() || clock.advance_to_next(); }

  /// Runs it, cancelled after so many steps; whether it came so far.
  template <class T>
  bool run(awaitable<T> verb, int steps, bool waits) {
    auto running = context.spawn(std::move(verb));
    int done = 0;
    while (done < steps && !running.done() && step()) ++done;
    const bool came_so_far = !running.done();
    running.cancel();
    while (!running.done() && step()) {
    }
    REQUIRE(running.done());
    if (waits) CHECK(begun == ended);  // at its end, not some time later
    while (step()) {
    }
    CHECK(begun == ended);
    CHECK(opened == cleaned);
    for (auto* each : {&first, &second, &away}) CHECK(is_conserved(each->stats()));
    CHECK(is_conserved(commands.stats()));
    if (!came_so_far) CHECK_FALSE(running.failure());
    return came_so_far;
  }

  stepping_context context, elsewhere;
  manual_clock clock;
  int begun = 0, ended = 0;
  consumer first{context.get_executor()}, second{context.get_executor()};
  consumer away{elsewhere.get_executor()};
  service commands{elsewhere.get_executor()};
  producer source;
  msgbus::async::operation<int(int)> update;
};

template <class Verb>
void cancel_anywhere(Verb verb, bool waits = true) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    int steps = 0;
    for (bool came_so_far = true; came_so_far && steps < 500; ++steps) {
      INFO("seed " << seed << ", cancelled after " << steps << " steps");
      opened = cleaned = 0;
      scene here(seed);
      came_so_far = here.run(verb(here), steps, waits);
    }
    CHECK(steps > 3);
    CHECK(steps < 500);
  }
}

}  // namespace

TEST_CASE("a consume may be cancelled after any step", "[A1][A9][A7]") {
  cancel_anywhere([](scene& in) { return in.first.consume<numbered>(1); });
}

TEST_CASE("a consume on another executor may be cancelled after any step", "[A1][A9][A7]") {
  cancel_anywhere([](scene& in) { return in.away.consume<numbered>(1); });
}

TEST_CASE("a dispatch to here and elsewhere may be cancelled after any step", "[A1][A9][A7]") {
  cancel_anywhere([](scene& in) { return in.source.dispatch<numbered>(1); });
}

TEST_CASE("an operation may be cancelled after any step", "[A1][A9][A7]") {
  cancel_anywhere([](scene& in) { return in.update(1); });
}

TEST_CASE("a drain may be cancelled after any step, and the work goes on", "[A9][A10]") {
  const auto drain = [](scene& in) {
    for (int i = 0; i < 3; ++i) (void)in.first.post<numbered>(i);
    return in.first.drain(1min);
  };
  cancel_anywhere(drain, false);
}

}  // namespace cancelled_anywhere_test
