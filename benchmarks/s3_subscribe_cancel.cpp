// S3: a handler is attached and taken out again, while a hundred others of its type stay. The bus
// is idle, but it does not know that: when `cancel` returns, the handler runs on no thread.

#include "buses.hpp"
#include "workloads.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

namespace bench {

namespace {

constexpr std::uint64_t others = 100;

/// Ordered handlers that can be taken out: the floor.
struct numbered_functions {
  template <class F>
  std::uint64_t add(F handler) {
    all.push_back({next, std::move(handler)});
    return next++;
  }
  void cancel(std::uint64_t number) {
    const auto found = std::lower_bound(all.begin(), all.end(), number,
                                        [](const auto& each, auto n) { return each.number < n; });
    all.erase(found);
  }
  void send(const order_created& event) const {
    for (const auto& each : all) each.call(event);
  }

  struct numbered {
    std::uint64_t number;
    std::function<void(const order_created&)> call;
  };
  std::vector<numbered> all;
  std::uint64_t next = 0;
};

struct cancelling_consumer : consumer {
  template <class F>
  msgbus::subscription add(F handler) {
    return bus.handler(std::move(handler));
  }
  static void cancel(msgbus::subscription& added) { added.cancel(); }
};

template <std::size_t>
struct another_event {};

/// Has 10 000 handlers of a hundred other types as well.
struct crowded_consumer : cancelling_consumer {
  crowded_consumer() {
    [this]<std::size_t... I>(std::index_sequence<I...>) {
      for (int i = 0; i < 100; ++i) (bus.handler([](const another_event<I>&) {}), ...);
    }(std::make_index_sequence<100>{});
  }
};

/// Another thread dispatches all the time; its handlers are not counted.
struct busy_consumer : cancelling_consumer {
  busy_consumer() {
    bus.handler([](const another_event<0>&) {});
    busy = std::thread([this] {
      while (!over.load(std::memory_order_relaxed)) bus.consume(another_event<0>{});
    });
  }
  ~busy_consumer() {
    over = true;
    busy.join();
  }

  std::atomic<bool> over{false};
  std::thread busy;
};

#ifdef MSGBUS_BENCH_WITH_SIGNALS2
struct cancelling_signals2 : signals2 {
  template <class F>
  boost::signals2::connection add(F handler) {
    return signal.connect(std::move(handler));
  }
  static void cancel(const boost::signals2::connection& added) { added.disconnect(); }
};
#endif

#ifdef MSGBUS_BENCH_WITH_SIGCPP
struct cancelling_sigcpp : sigcpp {
  template <class F>
  sigc::connection add(F handler) {
    return signal.connect(sigc::slot<void, const order_created&>(std::move(handler)));
  }
  static void cancel(sigc::connection& added) { added.disconnect(); }
};
#endif

template <class Bus>
contender cancelling(std::string name, role what) {
  struct state {
    std::uint64_t count = 0;  // of dispatches to handlers
    std::uint64_t cycles = 0;
    Bus bus;

    // Whether exactly so many handlers are there.
    bool has(std::uint64_t handlers) {
      count = 0;
      bus.send(order_created{1, 9.99});
      return count == handlers;
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    auto handler = [&count = made->count](const order_created&) { ++count; };
    for (std::uint64_t i = 0; i < others; ++i) made->bus.add(handler);
    auto one_more = made->bus.add(handler);
    if (!made->has(others + 1)) std::abort();
    made->bus.cancel(one_more);
    return subject{[made](std::uint64_t cycles) {
                     state* const to = opaque(made.get());
                     for (std::uint64_t i = 0; i < cycles; ++i) {
                       auto added =
                           to->bus.add([&count = to->count](const order_created&) { ++count; });
                       clobber();
                       to->bus.cancel(added);
                       clobber();
                     }
                     to->cycles += cycles;
                   },
                   // What was cancelled is not called any more, and everything else is.
                   [made] { return made->has(others) ? made->cycles : 0; }};
  };
  return {std::move(name), what, make};
}

}  // namespace

workload s3_subscribe_cancel() {
  using enum target::kind;
  const std::string subject = "msgbus handler + cancel";
  const std::string crowded = subject + ", 10 000 of other types there";
  const std::string busy = subject + ", while another thread dispatches";
  workload w{"S3", "Subscribe and cancel, 100 others there", {}, {}, "cycle"};
  w.contenders = {
      cancelling<numbered_functions>("vector of std::function, by number", role::floor),
      cancelling<cancelling_consumer>(subject, role::project),
      cancelling<crowded_consumer>(crowded, role::project),
      cancelling<busy_consumer>(busy, role::project),
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
      cancelling<cancelling_signals2>("Boost.Signals2", role::peer),
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
      cancelling<cancelling_sigcpp>("libsigc++", role::peer),
#endif
  };
  w.targets = {
      {at_most_ns, subject, 500},
      {at_most_times, crowded, 1.25, subject},
  };
  return w;
}

}  // namespace bench
