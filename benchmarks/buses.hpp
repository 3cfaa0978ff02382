#pragma once

/// What the workloads compare, each behind the same two functions: `add(handler)` and
/// `send(event)`. Handlers are callables that take a `const order_created&`.

#include <msgbus/sync.hpp>

#include "harness.hpp"
#include "thread_group.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#ifdef MSGBUS_BENCH_WITH_SIGNALS2
#include <boost/signals2/signal.hpp>
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
#include <sigc++/sigc++.h>
#endif

namespace bench {

/// The baseline: what one writes who needs nothing else. It must not change while it is used.
struct functions {
  static constexpr const char* name = "vector of std::function";
  static constexpr role what = role::baseline;

  template <class F>
  void add(F handler) {
    all.emplace_back(std::move(handler));
  }
  void send(const order_created& event) const {
    for (const auto& each : all) each(event);
  }

  std::vector<std::function<void(const order_created&)>> all;
};

struct virtual_calls {
  static constexpr const char* name = "vector of virtual calls";
  static constexpr role what = role::reference;

  struct listener {
    virtual ~listener() = default;
    virtual void on(const order_created& event) = 0;
  };
  template <class F>
  struct calling final : listener {
    explicit calling(F f) : handler(std::move(f)) {}
    void on(const order_created& event) override { handler(event); }
    F handler;
  };

  template <class F>
  void add(F handler) {
    all.push_back(std::make_unique<calling<F>>(std::move(handler)));
  }
  void send(const order_created& event) const {
    for (const auto& each : all) each->on(event);
  }

  std::vector<std::unique_ptr<listener>> all;
};

/// What one writes whose handlers come and go while others send.
struct locked_functions {
  static constexpr const char* name = "the same, std::shared_mutex";
  static constexpr role what = role::reference;

  template <class F>
  void add(F handler) {
    const std::unique_lock lock(mutex);
    bus.add(std::move(handler));
  }
  void send(const order_created& event) const {
    const std::shared_lock lock(mutex);
    bus.send(event);
  }

  mutable std::shared_mutex mutex;
  functions bus;
};

struct consumer {
  static constexpr const char* name = "msgbus consumer.consume";
  static constexpr role what = role::project;

  template <class F>
  void add(F handler) {
    bus.handler(std::move(handler));
  }
  void send(const order_created& event) { bus.consume(event); }

  msgbus::sync::consumer bus;
};

struct producer {
  static constexpr const char* name = "msgbus producer.dispatch";
  static constexpr role what = role::project;

  producer() { bus.bind(bound); }
  template <class F>
  void add(F handler) {
    bound.handler(std::move(handler));
  }
  void send(const order_created& event) { bus.dispatch(event); }

  msgbus::sync::consumer bound;
  msgbus::sync::producer bus;
};

#ifdef MSGBUS_BENCH_WITH_SIGNALS2
struct signals2 {
  static constexpr const char* name = "Boost.Signals2";
  static constexpr role what = role::peer;

  template <class F>
  void add(F handler) {
    signal.connect(std::move(handler));
  }
  void send(const order_created& event) { signal(event); }

  boost::signals2::signal<void(const order_created&)> signal;
};
#endif

#ifdef MSGBUS_BENCH_WITH_SIGCPP
/// For one thread only.
struct sigcpp {
  static constexpr const char* name = "libsigc++";
  static constexpr role what = role::peer;

  template <class F>
  void add(F handler) {
    signal.connect(sigc::slot<void, const order_created&>(std::move(handler)));
  }
  void send(const order_created& event) { signal.emit(event); }

  sigc::signal<void, const order_created&> signal;
};
#endif

/// A bus with so many handlers.
template <class Bus>
contender dispatching(std::uint64_t handlers) {
  auto make = [handlers] {
    auto made = std::make_shared<Bus>();
    for (std::uint64_t i = 0; i < handlers; ++i) {
      made->add([](const order_created&) { ++counter; });
    }
    return sending(std::move(made),
                   [](Bus& to, std::uint64_t i) { to.send(order_created{i, 9.99}); });
  };
  return {Bus::name, Bus::what, make, handlers};
}

/// The same, with handlers that have captured where they count.
template <class Bus>
contender dispatching_captured(std::uint64_t handlers) {
  struct state {
    std::uint64_t count = 0;
    Bus bus;
  };
  auto make = [handlers] {
    auto made = std::make_shared<state>();
    std::uint64_t& count = made->count;
    for (std::uint64_t i = 0; i < handlers; ++i) {
      made->bus.add([&count](const order_created&) { ++count; });
    }
    return sending(
        std::move(made), [](state& to, std::uint64_t i) { to.bus.send(order_created{i, 9.99}); },
        count);
  };
  return {std::string(Bus::name) + ", captured counter", Bus::what, make, handlers,
          std::string(functions::name) + ", captured counter"};
}

/// A bus with one handler, to which so many threads send.
template <class Bus>
contender dispatching_from(unsigned threads) {
  auto make = [threads] {
    auto made = std::make_shared<Bus>();
    made->add([](const order_created&) { ++handled_here; });
    return sending_from(threads, std::move(made),
                        [](Bus& to, std::uint64_t i) { to.send(order_created{i, 9.99}); });
  };
  const std::string name = std::string(Bus::name) + ", " + std::to_string(threads) +
                           (threads == 1 ? " thread" : " threads");
  return {name, Bus::what, make, 1, {}, threads};
}

}  // namespace bench
