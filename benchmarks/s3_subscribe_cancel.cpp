// S3: a handler is attached and taken out again, while a hundred others of its type stay. When
// `cancel` returns, the handler runs on no thread: no peer promises that. It is bought with a
// system call, which makes every thread of the process that is running pass a fence; so there are
// rows with a second thread that is busy, beside what the system call alone costs, and one with
// threads that cancel at once and share it.

#include "buses.hpp"
#include "workloads.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace bench {

namespace {

constexpr std::uint64_t others = 100;

/// Ordered handlers that can be taken out: the baseline.
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

/// Another thread, which is busy while a sample runs and asleep otherwise, so as not to disturb the
/// other contenders.
class other_thread {
 public:
  explicit other_thread(std::function<void()> what)
      : what_(std::move(what)), thread_([this] { work(); }) {}
  ~other_thread() {
    set(over);
    thread_.join();
  }
  other_thread(const other_thread&) = delete;

  void start() {
    set(busy);
    is_busy_.wait(false);
  }
  void stop() {
    set(asleep);
    is_busy_.wait(true);
  }

 private:
  enum state : int { asleep, busy, over };

  void set(state next) {
    state_ = next;
    state_.notify_one();
  }

  void work() {
    stay_on(1);  // the workload's own thread is on core 0
    for (;;) {
      state_.wait(asleep);
      if (state_ == over) return;
      tell(true);
      while (state_.load(std::memory_order_relaxed) == busy) what_();
      tell(false);
    }
  }

  void tell(bool is_busy) {
    is_busy_ = is_busy;
    is_busy_.notify_one();
  }

  const std::function<void()> what_;
  std::atomic<state> state_{asleep};
  std::atomic<bool> is_busy_{false};
  std::thread thread_;
};

/// The other thread has nothing to do with the bus.
struct consumer_beside_work : cancelling_consumer {
  other_thread other{[] {}};
};

/// The other thread dispatches to the bus, to a handler of another type.
struct consumer_in_use : cancelling_consumer {
  consumer_in_use() {
    bus.handler([](const another_event<0>&) {});
  }
  other_thread other{[this] { bus.consume(another_event<0>{}); }};
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
    subject made_subject;
    made_subject.send = [made](std::uint64_t cycles) {
      state* const to = opaque(made.get());
      for (std::uint64_t i = 0; i < cycles; ++i) {
        auto added = to->bus.add([&count = to->count](const order_created&) { ++count; });
        clobber();
        to->bus.cancel(added);
        clobber();
      }
      to->cycles += cycles;
    };
    // What was cancelled is not called any more, and everything else is.
    made_subject.handled = [made] { return made->has(others) ? made->cycles : 0; };
    if constexpr (requires { made->bus.other; }) {
      made_subject.before = [made] { made->bus.other.start(); };
      made_subject.after = [made] { made->bus.other.stop(); };
    }
    return made_subject;
  };
  return {std::move(name), what, make};
}

#if defined(__linux__)
/// What a cancellation waits for when nobody is in its way, if another thread dispatches.
contender fencing(std::string name, bool beside_dispatches) {
  struct state : consumer_in_use {
    std::uint64_t fences = 0;
  };
  auto make = [beside_dispatches] {
    auto made = std::make_shared<state>();
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) std::abort();
    subject made_subject;
    made_subject.send = [made](std::uint64_t fences) {
      for (std::uint64_t i = 0; i < fences; ++i) {
        if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) ++made->fences;
      }
    };
    made_subject.handled = [made] { return made->fences; };
    if (beside_dispatches) {
      made_subject.before = [made] { made->other.start(); };
      made_subject.after = [made] { made->other.stop(); };
    }
    return made_subject;
  };
  return {std::move(name), role::reference, make};
}
#endif

/// Threads that attach and cancel at once.
contender cancelling_from(unsigned threads, std::string name) {
  auto make = [threads] {
    auto made = std::make_shared<cancelling_consumer>();
    return sending_from(threads, std::move(made), [](cancelling_consumer& to, std::uint64_t) {
      auto added = to.add([](const order_created&) {});
      clobber();
      to.cancel(added);
      if (!added.active()) ++handled_here;
    });
  };
  return {std::move(name), role::project, make, 1, {}, threads};
}

}  // namespace

workload s3_subscribe_cancel() {
  using enum target::kind;
  const std::string subject = "msgbus handler + cancel";
  const std::string crowded = subject + ", 10 000 of other types there";
  const std::string in_use = subject + ", another thread dispatches";
  const std::string at_once = subject + ", 4 threads at once";
  const std::string baseline = "vector of std::function, by number";
  workload w{"S3", "Subscribe and cancel, 100 others there", {}, {}, "cycle"};
  w.contenders = {
      cancelling<numbered_functions>(baseline, role::baseline),
      cancelling<cancelling_consumer>(subject, role::project),
      cancelling<crowded_consumer>(crowded, role::project),
      cancelling<consumer_beside_work>(subject + ", another thread is busy", role::project),
      cancelling<consumer_in_use>(in_use, role::project),
      cancelling_from(4, at_once),
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
      cancelling<cancelling_signals2>("Boost.Signals2", role::peer),
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
      cancelling<cancelling_sigcpp>("libsigc++", role::peer),
#endif
  };
  w.targets = {
      {at_most_times, subject, 20, baseline},
      {at_most_times, crowded, 1.25, subject},
      {at_most_times, at_once, 1.0, in_use},
  };
#if defined(__linux__)
  const std::string fence = "membarrier, another thread dispatches";
  w.contenders.push_back(fencing("membarrier", false));
  w.contenders.push_back(fencing(fence, true));
  w.targets.push_back({at_most_times, in_use, 1.3, fence});
#endif
  return w;
}

}  // namespace bench
