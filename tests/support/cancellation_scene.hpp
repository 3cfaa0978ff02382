#pragma once

/// What coroutines do to their cancellation state, and verbs that await them.

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

struct numbered {
  int n = 0;
};

/// What a coroutine may do to its state, and to that of all that it is awaited by in one spawn.
enum class change { reset, total, disable, no_throw, all_of_it };
inline constexpr change every_change[] = {change::reset, change::total, change::disable,
                                          change::no_throw, change::all_of_it};

inline awaitable<void> make(change what) {
  if (what == change::reset) co_await asio::this_coro::reset_cancellation_state();
  if (what == change::total) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  if (what == change::disable || what == change::all_of_it) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  }
}

/// Waits; when it is cancelled it changes its state, says good-bye, and throws on.
inline awaitable<void> wait_and_change(gate open, change what) {
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

inline const verb verbs[] = {
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
inline awaitable<void> call(awaitable<void> verb, seen_by_caller& seen) {
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

}  // namespace cancellation_state_test
