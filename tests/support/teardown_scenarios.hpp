#pragma once

/// Scenarios that are cut off at every step.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"
#include "support/watched_executor.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace teardown_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;
using msgbus_test::hop;
using msgbus_test::watched_executor;
using namespace std::chrono_literals;

std::atomic<int> alive{0};  // two threads of a pool count

/// An event of some size, of which every instance is counted.
struct tracked {
  explicit tracked(int given = 0) : n(given) { ++alive; }
  tracked(const tracked& other) : n(other.n), text(other.text) { ++alive; }
  tracked(tracked&& other) noexcept : n(other.n), text(std::move(other.text)) { ++alive; }
  tracked& operator=(const tracked&) = default;
  ~tracked() { --alive; }
  int n;
  std::string text = "some text that is too long to be kept inside a string";
};

inline awaitable<void> open_session(msgbus::async::yield<tracked&> yield) {
  tracked session;
  co_await hop();
  co_await yield(session);
  co_await hop();
}

/// Where a scenario is: on the context's executor, or on one over it.
struct place {
  [[nodiscard]] const asio::any_io_executor& get_executor() const { return on; }
  template <class T>
  [[nodiscard]] msgbus::testing::spawned<T> spawn(awaitable<T> what) const {
    return {on, std::move(what)};
  }
  stepping_context& steps;
  asio::any_io_executor on;
};

/// A scenario that outlives its context finds that no copy of its executor is left: a strand must
/// not outlive its context.
template <class Scenario>
class on_watched_executor final : msgbus::exec::context_shutdown_hook {
 public:
  on_watched_executor(stepping_context& context, bool on_strand)
      : on_watched_executor(context, on_strand, watched_executor::over(context.get_executor())) {}
  ~on_watched_executor() {
    unlink();
    if (context_has_ended_) CHECK(copies_.expired());
  }

  bool when_idle()
    requires requires(Scenario& scenario) { scenario.when_idle(); }
  {
    return scenario_.when_idle();
  }

 private:
  on_watched_executor(stepping_context& context, bool on_strand, const watched_executor& on)
      : copies_(on.copies()),
        scenario_(place{context, on_strand ? asio::any_io_executor(asio::make_strand(on))
                                           : asio::any_io_executor(on)}) {
    link(context.get_executor());
  }
  void context_ended() noexcept override { context_has_ended_ = true; }

  const std::weak_ptr<void> copies_;
  bool context_has_ended_ = false;
  Scenario scenario_;
};

/// Keeps what it starts, and asks that all of it goes.
template <class Scenario>
inline void cut_off_everywhere() {
  for (const auto& shuffle :
       {std::optional<shuffled>(), std::optional(shuffled{1}), std::optional(shuffled{2})}) {
    for (const bool on_strand : {false, true}) {
      const auto report = cut_off_at_every_step(
          [&](stepping_context& context) {
            return on_watched_executor<Scenario>(context, on_strand);
          },
          {.shuffle = shuffle});
      CHECK(report.steps > 3);
      CHECK(alive == 0);
    }
  }
}

struct sending {
  explicit sending(const place& context)
      : events(context.get_executor(), {.capacity = 2}),
        small(context.get_executor(), {.capacity = 1}) {
    for (auto* each : {&events, &small}) {
      each->handler([](const tracked&, msgbus::depends<open_session>) -> awaitable<void> {
        const tracked local;
        co_await hop();
      });
      each->handler([](const tracked& event) {
        if (event.n == 2) throw std::runtime_error("two");
      });
      each->observe(std::make_shared<msgbus::observer>());
    }
    source.bind(events, small);
    for (int i = 0; i < 3; ++i) {
      (void)context.spawn(events.send<tracked>(i));
      (void)context.spawn(source.send<tracked>(i));
      (void)source.post<tracked>(i);
    }
  }
  consumer events, small;
  producer source;
};

struct awaiting {
  explicit awaiting(const place& context)
      : events(std::make_shared<consumer>(context.get_executor())),
        other(context.get_executor()),
        messages(context.get_executor()),
        commands(context.get_executor()) {
    for (auto* each : {events.get(), &other}) {
      each->handler([](const tracked&, msgbus::depends<open_session>) -> awaitable<void> {
        const tracked local;
        co_await hop(2);
      });
    }
    messages.subscribe("a.*", [to = events](const tracked&) -> awaitable<void> {
      const tracked local;
      co_await hop();
      co_await to->consume<tracked>(5);
    });
    auto update = commands.handler("update", [](tracked) -> awaitable<tracked> {
      co_await hop();
      co_return tracked(1);
    });
    source.bind(*events, other);
    news.bind(messages);
    (void)context.spawn(events->consume<tracked>(1));
    (void)context.spawn(source.dispatch<tracked>(1));
    (void)context.spawn(messages.receive(tracked(1), "a.b"));
    (void)context.spawn(news.publish(tracked(1), "a.b"));
    (void)context.spawn(update(tracked(1)));
    (void)context.spawn(commands.execute<tracked>("update", tracked(1)));
  }
  std::shared_ptr<consumer> events;  // a handler uses it, and may outlive this
  consumer other;
  subscriber messages;
  service commands;
  producer source;
  publisher news;
};

struct streaming {
  explicit streaming(const place& context)
      : events(context.get_executor(), {.capacity = 1}),
        stream(
            std::make_shared<msgbus::stream<tracked>>(events.stream_of<tracked>({.capacity = 1}))) {
    (void)context.spawn(take(stream));
    for (int i = 0; i < 3; ++i) (void)context.spawn(events.send<tracked>(i));
    (void)context.spawn(events.consume<tracked>(7));
  }
  static awaitable<void> take(std::shared_ptr<msgbus::stream<tracked>> from) {
    for (int i = 0; i < 3; ++i) {
      const std::optional<tracked> each = co_await from->next();
      if (!each) co_return;
      co_await hop();
    }
  }
  consumer events;
  std::shared_ptr<msgbus::stream<tracked>> stream;
};

struct with_policies {
  explicit with_policies(const place& context)
      : clock(context.steps), events(context.get_executor()) {
    events.observe(std::make_shared<msgbus::observer>());
    events.handler(
        [](const tracked&, msgbus::depends<open_session>) -> awaitable<void> {
          const tracked local;
          co_await msgbus::exec::sleep(1s);
        },
        {.timeout = 10ms, .retry = {.attempts = 2, .backoff = 5ms}});
    events.handler([](const tracked&) { throw 5; },
                   {.executor = context.get_executor(), .retry = {.attempts = 2}});
    (void)events.post<tracked>(1);
    (void)context.spawn(events.consume<tracked>(1));
  }
  bool when_idle() { return clock.advance_to_next(); }
  msgbus::testing::manual_clock clock;
  consumer events;
};

struct ending {
  explicit ending(const place& context)
      : clock(context.steps),
        events(std::make_shared<consumer>(context.get_executor(),
                                          msgbus::mailbox_options{.capacity = 3})) {
    const msgbus::subscription mine = events->handler([](const tracked&) -> awaitable<void> {
      const tracked local;
      co_await msgbus::exec::sleep(1s);
    });
    for (int i = 0; i < 3; ++i) (void)events->post<tracked>(i);
    auto cancelled = context.spawn(events->consume<tracked>(9));
    (void)context.spawn(events->drain(100ms));
    (void)context.spawn(race(events, mine));
    (void)context.spawn(mine.cancelled());
  }
  static awaitable<void> race(std::shared_ptr<consumer> to, msgbus::subscription mine) {
    using namespace asio::experimental::awaitable_operators;
    (void)co_await (to->send<tracked>(5) || msgbus::exec::sleep(10ms));
    mine.cancel();
  }
  bool when_idle() { return clock.advance_to_next(); }
  msgbus::testing::manual_clock clock;
  std::shared_ptr<consumer> events;
};

}  // namespace teardown_test
