// One allocation fails, each in turn, while the library wakes, cancels and ends coroutines.

#include <msgbus/async.hpp>
#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/metrics.hpp>
#include <msgbus/testing/manual_clock.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/failing_new.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace without_memory_test {

using asio::awaitable;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

#ifndef MSGBUS_TEST_NO_FAILING_NEW

using msgbus_test::failing_allocation;

namespace {

struct placed {
  int id = 0;
};

struct silent final : msgbus::observer {};

/// A context of Asio, and coroutines that use components there.
struct scene {
  scene() {
    // Asio's strands share mutexes, which the first ones make. Asio 1.22 uses one that it could not
    // make.
    std::vector<asio::strand<asio::io_context::executor_type>> first;
    for (int i = 0; i < 3000; ++i) first.emplace_back(io.get_executor());
  }

  /// Runs the context, and lets time pass, until nothing is left to do. An exception of Asio's own
  /// code leaves the context, which goes on.
  void run() {
    for (int idle = 0; idle < 2;) {
      try {
        io.restart();
        idle = io.poll() != 0 || clock.advance_to_next() ? 0 : idle + 1;
      } catch (const std::bad_alloc&) {
        idle = 0;
      }
    }
  }
  void run_at_once() {
    io.restart();
    io.poll();
  }

  /// Starts a coroutine, which counts as running until its frame is destroyed.
  void spawn(awaitable<void> work) {
    auto counted = [](scene& in, awaitable<void> mine) -> awaitable<void> {
      struct counted_run {
        explicit counted_run(int& count) noexcept : of(count) { ++of; }
        counted_run(const counted_run&) = delete;
        counted_run& operator=(const counted_run&) = delete;
        ~counted_run() { --of; }
        int& of;
      } const here(in.running);
      co_await std::move(mine);
    };
    asio::co_spawn(io, counted(*this, std::move(work)),
                   asio::bind_cancellation_slot(cancelling.emplace_back().slot(),
                                                [](const std::exception_ptr&) {}));
  }

  int running = 0;
  std::list<asio::cancellation_signal> cancelling;
  asio::io_context io;
  msgbus::testing::manual_clock clock{io};
  const std::shared_ptr<silent> nobody = std::make_shared<silent>();
};

/// Calls it with the number of an allocation that fails, until there are no so many.
template <class F>
void for_each_allocation(F scenario) {
  long number = 0;
  while (scenario(number)) ++number;
  CHECK(number > 4);
}

awaitable<void> send_one(msgbus::async::consumer& to) {
  placed event;
  (void)co_await to.send(event);
}
awaitable<void> drain_soon(msgbus::async::consumer& of) { (void)co_await of.drain(1s); }
awaitable<void> dispatch_one(msgbus::async::producer& by) {
  placed event;
  (void)co_await by.dispatch(event);
}

}  // namespace

TEST_CASE("each message has one outcome, whichever allocation of a consumer loop fails",
          "[A7][P2]") {
  for_each_allocation([](long number) {
    scene s;
    msgbus::async::consumer events(s.io.get_executor());
    events.observe(s.nobody);
    msgbus::exec::async_event opened;
    const auto permits = std::make_shared<msgbus::async::semaphore>(1);
    events.handler(
        [&](const placed& event) -> awaitable<void> {
          if (event.id == 0) co_await opened.wait();
          if (event.id % 2 == 0) co_await msgbus::async::sleep(event.id == 2 ? 1h : 1s);
        },
        {.semaphore = permits, .timeout = 3s});
    (void)events.post(placed{0});
    s.run_at_once();  // the loop is a coroutine now
    bool failed = false;
    {
      const failing_allocation here(number);
      for (int id = 1; id < 5; ++id) {
        try {
          (void)events.post(placed{id});
        } catch (const std::bad_alloc&) {
          continue;  // it was not taken
        }
      }
      opened.set();
      s.run();
      failed = failing_allocation::has_failed();
    }
    const auto counted = events.stats();
    REQUIRE(is_conserved(counted));
    REQUIRE(permits->available() == 1);
    (void)events.post(placed{7});
    s.run();
    REQUIRE(events.stats().handled == counted.handled + 1);
    return failed;
  });
}

TEST_CASE("a drain ends, whichever allocation fails when its time is over", "[A10][A7]") {
  for_each_allocation([](long number) {
    scene s;
    msgbus::async::consumer events(s.io.get_executor(), {.capacity = 2});
    events.observe(s.nobody);
    events.handler([](const placed&) { return msgbus::async::sleep(1h); });
    for (int id = 0; id < 6; ++id) s.spawn(send_one(events));
    s.run_at_once();
    s.spawn(drain_soon(events));
    s.run_at_once();
    bool failed = false;
    {
      const failing_allocation here(number);
      s.run();
      failed = failing_allocation::has_failed();
    }
    REQUIRE(is_conserved(events.stats()));
    REQUIRE(s.running == 0);
    return failed;
  });
}

TEST_CASE("a cancelled verb ends, whichever allocation fails meanwhile", "[A9][A7]") {
  for_each_allocation([](long number) {
    scene s;
    msgbus::async::consumer first(s.io.get_executor());
    msgbus::async::consumer second(s.io.get_executor());
    msgbus::async::producer both;
    both.bind(first, second);
    for (auto* const each : {&first, &second}) {
      each->observe(s.nobody);
      each->handler([](const placed&) { return msgbus::async::sleep(1h); });
    }
    s.spawn(dispatch_one(both));
    s.run_at_once();
    s.cancelling.back().emit(asio::cancellation_type::terminal);
    bool failed = false;
    {
      const failing_allocation here(number);
      s.run();
      failed = failing_allocation::has_failed();
    }
    REQUIRE(is_conserved(first.stats()));
    REQUIRE(is_conserved(second.stats()));
    REQUIRE(s.running == 0);
    return failed;
  });
}

TEST_CASE("a message without a handler for its type has one outcome, whatever allocation fails",
          "[A7][D3]") {
  for_each_allocation([](long number) {
    scene s;
    msgbus::async::subscriber orders(s.io.get_executor());
    orders.observe(s.nobody);
    orders.subscribe("orders", [](const placed&) {});
    (void)orders.post(1.5, "orders");
    bool failed = false;
    {
      const failing_allocation here(number);
      s.run();
      failed = failing_allocation::has_failed();
    }
    REQUIRE(orders.stats().accepted == 1);
    REQUIRE(is_conserved(orders.stats()));
    return failed;
  });
}

TEST_CASE("a measured message has one outcome, if the first allocation of its handling fails",
          "[A7][O2]") {
  scene s;
  msgbus::async::consumer events(s.io.get_executor());
  events.observe(s.nobody);
  msgbus::metrics figures;
  figures.add("events", events);
  events.handler([](const placed&) {});
  (void)events.post(placed{1});
  {
    const failing_allocation here(0);
    s.run();
    REQUIRE(failing_allocation::has_failed());
  }
  REQUIRE(events.stats().accepted == 1);
  REQUIRE(is_conserved(events.stats()));
}

TEST_CASE("so has one that nobody observes", "[A7][O2]") {
  scene s;
  msgbus::async::consumer events(s.io.get_executor());
  msgbus::metrics figures;
  figures.add("events", events);
  events.handler([](const placed&) {});
  (void)events.post(placed{1});
  {
    const failing_allocation here(0);
    s.run();
    REQUIRE(failing_allocation::has_failed());
  }
  REQUIRE(events.stats().accepted == 1);
  REQUIRE(is_conserved(events.stats()));
}

TEST_CASE("a verb that nothing can cancel waits for its handlers, if its wait finds no memory",
          "[A1]") {
  for_each_allocation([](long number) {
    scene here_io, there;
    msgbus::async::consumer here(here_io.io.get_executor());
    msgbus::async::consumer away(there.io.get_executor());
    msgbus::async::producer both;
    both.bind(here, away);
    for (auto* const each : {&here, &away}) each->observe(here_io.nobody);
    here.handler([](const placed&) {});
    int begun = 0;
    away.handler([&](const placed&) { ++begun; });
    int begun_before = -1;
    auto verb = [&]() -> awaitable<void> {
      try {
        placed event;
        (void)co_await both.dispatch(event);
      } catch (const std::bad_alloc&) {
        begun_before = begun;
        co_return;
      }
      begun_before = begun;
    };
    asio::co_spawn(here_io.io, verb(), asio::detached);
    bool failed = false;
    {
      const failing_allocation fails(number);
      here_io.run_at_once();
      failed = failing_allocation::has_failed();
    }
    there.run();
    here_io.run();
    REQUIRE(begun_before == begun);
    return failed && number < 40;
  });
}

TEST_CASE("a set event ends its wait, whatever allocation fails", "[A9]") {
  for (const bool batched : {false, true}) {
    for (long number = 0; number < 4; ++number) {
      scene s;
      std::vector<std::shared_ptr<msgbus::exec::one_shot_event>> events;
      for (int i = 0; i < 3; ++i) {
        events.push_back(std::make_shared<msgbus::exec::one_shot_event>());
        s.spawn([](auto what) -> awaitable<void> { co_await what->wait(); }(events.back()));
      }
      s.run_at_once();
      REQUIRE(s.running == 3);
      {
        const failing_allocation here(number);
        msgbus::exec::event_batch together;
        for (const auto& each : events) {
          if (batched) {
            together.set(*each);
          } else {
            each->set();
          }
        }
      }
      s.run();
      REQUIRE(s.running == 0);
    }
  }
}

#endif

}  // namespace without_memory_test
