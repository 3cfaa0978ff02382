#include <msgbus/detail/policy/breaker_machine.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace breaker_machine_test {

using msgbus::detail::breaker_machine;
using msgbus::detail::breaker_phase;
using verdict = breaker_machine::verdict;
using ticket = breaker_machine::ticket;
using namespace std::chrono_literals;

namespace {

struct driven {
  explicit driven(breaker_machine::settings how) : machine(how) {}

  void call(verdict how) {
    ticket mine;
    REQUIRE(machine.try_enter(now, mine));
    machine.leave(mine, how, now);
  }
  void calls(int times, verdict how) {
    for (int i = 0; i < times; ++i) call(how);
  }
  bool refuses() {
    ticket mine;
    return !machine.try_enter(now, mine);
  }
  /// Fails a probe as soon as one is let through.
  std::chrono::steady_clock::duration fail_probe() {
    const auto waited = machine.retry_at() - now;
    now = machine.retry_at();
    call(verdict::failed);
    return waited;
  }

  breaker_machine machine;
  breaker_machine::time_point now{1000h};
};

constexpr breaker_machine::settings usual{
    .failure_ratio = 0.5,
    .minimum = 4,
    .sampling = 10s,
    .open_for = 5s,
    .max_open_for = 1min,
    .half_open_permits = 1,
};

breaker_machine::settings with_permits(std::size_t permits) {
  auto how = usual;
  how.half_open_permits = permits;
  return how;
}

}  // namespace

TEST_CASE("a breaker opens when enough calls were made and enough of them failed") {
  driven t(usual);
  t.calls(3, verdict::failed);
  CHECK(t.machine.phase() == breaker_phase::closed);
  t.call(verdict::failed);
  CHECK(t.machine.phase() == breaker_phase::open);
  CHECK(t.refuses());
  CHECK(t.machine.retry_at() == t.now + 5s);
}

TEST_CASE("a breaker stays closed while fewer calls fail than its ratio says") {
  driven t(usual);
  for (int i = 0; i < 100; ++i) {
    t.calls(3, verdict::succeeded);
    t.call(verdict::failed);
  }
  CHECK(t.machine.phase() == breaker_phase::closed);
}

TEST_CASE("failures of long ago and ignored failures do not count") {
  driven t(usual);
  t.calls(3, verdict::failed);
  t.calls(100, verdict::ignored);
  CHECK(t.machine.phase() == breaker_phase::closed);
  t.now += 11s;
  t.calls(3, verdict::failed);
  CHECK(t.machine.phase() == breaker_phase::closed);
  t.now += 1s;
  t.call(verdict::failed);
  CHECK(t.machine.phase() == breaker_phase::open);
}

TEST_CASE("an open breaker tries one call after its time, which closes or opens it") {
  driven t(usual);
  t.calls(4, verdict::failed);
  t.now += 5s - 1ns;
  CHECK(t.refuses());
  CHECK_FALSE(t.machine.may_enter(t.now));
  t.now += 1ns;
  CHECK(t.machine.may_enter(t.now));
  ticket probe;
  REQUIRE(t.machine.try_enter(t.now, probe));
  CHECK(probe.is_probe);
  CHECK(t.machine.phase() == breaker_phase::half_open);
  CHECK(t.refuses());
  SECTION("it succeeds") {
    t.machine.leave(probe, verdict::succeeded, t.now);
    CHECK(t.machine.phase() == breaker_phase::closed);
    t.calls(3, verdict::failed);  // what failed before is forgotten
    CHECK(t.machine.phase() == breaker_phase::closed);
  }
  SECTION("it fails") {
    t.machine.leave(probe, verdict::failed, t.now);
    CHECK(t.machine.phase() == breaker_phase::open);
  }
}

TEST_CASE("a probe that says nothing gives its permit back", "[P3]") {
  driven t(usual);
  t.calls(4, verdict::failed);
  t.now += 5s;
  for (int i = 0; i < 10; ++i) t.call(verdict::ignored);
  CHECK(t.machine.phase() == breaker_phase::half_open);
  t.call(verdict::succeeded);
  CHECK(t.machine.phase() == breaker_phase::closed);
}

TEST_CASE("all probes must succeed, and one that fails opens the breaker") {
  driven t(with_permits(3));
  t.calls(4, verdict::failed);
  t.now += 5s;
  std::vector<ticket> probes(3);
  for (ticket& each : probes) REQUIRE(t.machine.try_enter(t.now, each));
  CHECK(t.refuses());
  t.machine.leave(probes[0], verdict::succeeded, t.now);
  t.machine.leave(probes[1], verdict::succeeded, t.now);
  CHECK(t.machine.phase() == breaker_phase::half_open);
  CHECK(t.refuses());
  SECTION("all succeed") {
    t.machine.leave(probes[2], verdict::succeeded, t.now);
    CHECK(t.machine.phase() == breaker_phase::closed);
  }
  SECTION("one fails") {
    t.machine.leave(probes[2], verdict::failed, t.now);
    CHECK(t.machine.phase() == breaker_phase::open);
  }
}

TEST_CASE("a call of before says nothing about the state of now") {
  driven t(usual);
  ticket old;
  REQUIRE(t.machine.try_enter(t.now, old));
  t.calls(4, verdict::failed);
  t.machine.leave(old, verdict::succeeded, t.now);
  CHECK(t.machine.phase() == breaker_phase::open);
  t.now += 5s;
  ticket probe;
  REQUIRE(t.machine.try_enter(t.now, probe));
  t.machine.leave(old, verdict::succeeded, t.now);
  t.machine.leave(old, verdict::failed, t.now);
  CHECK(t.machine.phase() == breaker_phase::half_open);
}

TEST_CASE("a breaker that flaps opens longer each time, up to its longest") {
  driven t(usual);
  t.calls(4, verdict::failed);
  CHECK(t.fail_probe() == 5s);
  CHECK(t.fail_probe() == 10s);
  CHECK(t.fail_probe() == 20s);
  CHECK(t.fail_probe() == 40s);
  CHECK(t.fail_probe() == 1min);
  CHECK(t.fail_probe() == 1min);
}

TEST_CASE("closing for a moment does not make a flapping breaker forget, a quiet time does") {
  driven t(usual);
  t.calls(4, verdict::failed);
  t.now = t.machine.retry_at();
  t.call(verdict::succeeded);
  t.now += 9s;
  t.calls(4, verdict::failed);
  CHECK(t.machine.retry_at() - t.now == 10s);
  t.now = t.machine.retry_at();
  t.call(verdict::succeeded);
  t.now += 10s;
  t.calls(4, verdict::failed);
  CHECK(t.machine.retry_at() - t.now == 5s);
}

TEST_CASE("half-open has a longest stay, after which other probes are tried") {
  driven t(usual);
  t.calls(4, verdict::failed);
  t.now += 5s;
  ticket lost;
  REQUIRE(t.machine.try_enter(t.now, lost));
  CHECK(t.machine.retry_at() == t.now + 1min);
  t.now += 1min;
  CHECK(t.refuses());
  CHECK(t.machine.phase() == breaker_phase::open);
  CHECK(t.machine.retry_at() == t.now + 5s);  // it did not fail: no longer than before
  t.machine.leave(lost, verdict::succeeded, t.now);
  CHECK(t.machine.phase() == breaker_phase::open);
  t.now += 5s;
  t.call(verdict::succeeded);
  CHECK(t.machine.phase() == breaker_phase::closed);
}

TEST_CASE("an isolated breaker refuses all calls until it is reset") {
  driven t(usual);
  t.machine.isolate();
  t.now += 1000h;
  CHECK(t.refuses());
  CHECK(t.machine.retry_at() == breaker_machine::time_point::max());
  t.machine.reset();
  CHECK(t.machine.phase() == breaker_phase::closed);
  t.call(verdict::succeeded);
}

TEST_CASE("settings that make no sense are brought to the nearest that do") {
  driven t({.failure_ratio = -1,
            .minimum = 0,
            .sampling = 0s,
            .open_for = -1s,
            .max_open_for = -5s,
            .half_open_permits = 0});
  t.call(verdict::failed);
  CHECK(t.machine.phase() == breaker_phase::open);
  t.now += 1s;
  t.call(verdict::succeeded);
  CHECK(t.machine.phase() == breaker_phase::closed);
  driven endless({.failure_ratio = 2,
                  .minimum = 1,
                  .sampling = breaker_machine::duration::max(),
                  .open_for = breaker_machine::duration::max(),
                  .max_open_for = breaker_machine::duration::max(),
                  .half_open_permits = 1});
  endless.call(verdict::failed);
  CHECK(endless.machine.phase() == breaker_phase::open);
  CHECK(endless.refuses());
}

// Whatever calls do in whatever order, permits are neither lost nor made.
TEST_CASE("of random calls, no more probes run at once than there are permits") {
  std::mt19937 random(7);
  for (int script = 0; script < 200; ++script) {
    const std::size_t permits = 1 + random() % 3;
    driven t(with_permits(permits));
    std::vector<ticket> running;
    std::size_t most = 0;
    for (int step = 0; step < 300; ++step) {
      ticket mine;
      if (random() % 2 == 0 && t.machine.try_enter(t.now, mine)) running.push_back(mine);
      if (!running.empty() && random() % 2 == 0) {
        const std::size_t which = random() % running.size();
        t.machine.leave(running[which], static_cast<verdict>(random() % 3), t.now);
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (random() % 8 == 0) t.now += std::chrono::seconds(random() % 20);
      std::size_t probes = 0;
      for (const ticket& each : running) {
        probes += each.is_probe && each.generation == t.machine.generation() ? 1 : 0;
      }
      most = std::max(most, probes);
    }
    REQUIRE(most <= permits);
    // It can always be closed again.
    for (const ticket& each : running) t.machine.leave(each, verdict::ignored, t.now);
    for (int i = 0; i < 20 && t.machine.phase() != breaker_phase::closed; ++i) {
      if (!t.machine.may_enter(t.now)) t.now = t.machine.retry_at();
      ticket mine;
      if (t.machine.try_enter(t.now, mine)) t.machine.leave(mine, verdict::succeeded, t.now);
    }
    REQUIRE(t.machine.phase() == breaker_phase::closed);
  }
}

}  // namespace breaker_machine_test
