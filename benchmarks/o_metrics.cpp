// O1 to O3: what metrics cost a message that crosses from core to core (A1): counts, and times; and
// what a tracer costs it.

#include "async_buses.hpp"
#include "buses.hpp"
#include "workloads.hpp"

#include <msgbus/metrics.hpp>
#include <msgbus/tracer.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace bench {

namespace {

using std::chrono::steady_clock;

/// `posting`, whose component has metrics.
class posting_with_metrics {
 public:
  posting_with_metrics(tally& count, unsigned /*producers*/, unsigned core,
                       msgbus::metrics_options options)
      : there_(core), bus_(there_.executor(), {.capacity = 1024}), figures_(options) {
    figures_.add("orders", bus_);
    bus_.handler([&count](const order_created& event) { count.handled(event); });
  }

  void send(unsigned /*producer*/, const order_created& event) {
    patience with;
    while (bus_.post(event).rejected > 0) with.wait();
  }

 private:
  context_thread there_;
  msgbus::async::consumer bus_;
  msgbus::metrics figures_;
};

struct counting : msgbus::tracer {
  using tracer::tracer;
  void ended(const msgbus::span_data&) override { spans.fetch_add(1, std::memory_order_relaxed); }
  std::atomic<std::uint64_t> spans{0};
};

/// `posting`, whose component has a tracer that only counts.
class posting_with_tracer {
 public:
  posting_with_tracer(tally& count, unsigned /*producers*/, unsigned core, msgbus::sampler decides)
      : there_(core), bus_(there_.executor(), {.capacity = 1024}) {
    bus_.trace(std::make_shared<counting>(decides));
    bus_.handler([&count](const order_created& event) { count.handled(event); });
  }

  void send(unsigned /*producer*/, const order_created& event) {
    patience with;
    while (bus_.post(event).rejected > 0) with.wait();
  }

 private:
  context_thread there_;
  msgbus::async::consumer bus_;
};

/// A bus of one thread, with a tracer.
template <class Bus>
struct with_tracer : Bus {
  static inline const std::string name =
      std::string(Bus::name) + ", a tracer that samples one trace in a billion";

  with_tracer() { trace(*this); }
  static void trace(consumer& of) { of.bus.trace(make()); }
  static void trace(producer& of) {
    const auto by = make();
    of.bus.trace(by);
    of.bound.trace(by);
  }
  static std::shared_ptr<msgbus::tracer> make() {
    return std::make_shared<counting>(msgbus::sampler::parent_based(msgbus::sampler::ratio(1e-9)));
  }
};

/// What one would write: the time in the message, and buckets of atomics.
class posting_timed_by_hand {
 public:
  static constexpr const char* name = "by hand: the time in each message, buckets of atomics";

  posting_timed_by_hand(tally& count, unsigned /*producers*/, unsigned core)
      : there_(core), bus_(there_.executor(), {.capacity = 1024}) {
    bus_.handler([this, &count](const timed_order& event) {
      const auto begun = steady_clock::now();
      count.handled(event.order);
      waited_.add(begun - event.sent);
      handled_.add(steady_clock::now() - begun);
    });
  }

  void send(unsigned /*producer*/, const order_created& event) {
    patience with;
    while (bus_.post(timed_order{event, steady_clock::now()}).rejected > 0) with.wait();
  }

 private:
  struct timed_order {
    order_created order;
    steady_clock::time_point sent;
  };
  struct buckets {
    void add(steady_clock::duration took) {
      static constexpr std::array<std::int64_t, 8> bounds{1'000,         10'000,        100'000,
                                                          1'000'000,     10'000'000,    100'000'000,
                                                          1'000'000'000, 10'000'000'000};
      const auto at = std::ranges::lower_bound(bounds, took.count()) - bounds.begin();
      counts[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
      sum.fetch_add(took.count(), std::memory_order_relaxed);
    }
    std::array<std::atomic<std::uint64_t>, 9> counts{};
    std::atomic<std::int64_t> sum{0};
  };

  context_thread there_;
  buckets waited_, handled_;
  msgbus::async::consumer bus_;
};

const std::string without = "msgbus consumer.post, no metrics";
const std::string look = "a look at the steady clock";

contender with_metrics(const std::string& name, msgbus::metrics_options options) {
  return sending_across<posting_with_metrics>(name, role::project, 1, options);
}

contender looking_at_the_clock() {
  return {look, role::reference, [] {
            return sending(std::make_shared<int>(0), [](int&, std::uint64_t) {
              const auto now = steady_clock::now();
              asm volatile("" : : "r"(&now) : "memory");
              ++counter;
            });
          }};
}

}  // namespace

workload o1_counts() {
  using enum target::kind;
  workload w{"O1", "Metrics: counts", {}, {}};
  w.sample_ms = 10;
  const std::string counts = "with metrics, without times";
  w.contenders = {
      sending_across<posting>(without, role::baseline, 1),
      with_metrics(counts, {.times = false}),
  };
  w.targets = {{at_most_times, counts, 1.3, without}, {at_most_allocations, counts, 0.01}};
  return w;
}

workload o2_times() {
  using enum target::kind;
  workload w{"O2", "Metrics: times of messages and handlers", {}, {}};
  w.sample_ms = 10;
  const std::string all = "with the times of every message";
  const std::string some = "with the times of one message in 100";
  w.contenders = {
      sending_across<posting>(without, role::baseline, 1),
      looking_at_the_clock(),
      with_metrics(all, {}),
      with_metrics(some, {.sample = 100}),
      sending_across<posting_timed_by_hand>(posting_timed_by_hand::name, role::reference, 1),
  };
  w.targets = {
      {at_most_times_more, all, 2, without, look},
      {at_most_times, some, 1.3, without},
      {at_most_allocations, all, 0.01},
  };
  return w;
}

workload o3_traces() {
  using enum target::kind;
  workload w{"O3", "A tracer", {}, {}};
  w.sample_ms = 10;
  const std::string bare = "msgbus consumer.post, no tracer";
  const std::string never = "with a tracer that samples nothing";
  const std::string seldom = "with a tracer that samples one trace in a billion";
  const auto with_tracer = [](const std::string& name, msgbus::sampler decides) {
    return sending_across<posting_with_tracer>(name, role::project, 1, decides);
  };
  w.contenders = {
      sending_across<posting>(bare, role::baseline, 1),
      with_tracer(never, msgbus::sampler::parent_based(msgbus::sampler::never())),
      with_tracer(seldom, msgbus::sampler::parent_based(msgbus::sampler::ratio(1e-9))),
      with_tracer("with a tracer that samples everything", msgbus::sampler::always()),
  };
  w.targets = {
      {at_most_ns_more, never, 10, bare},
      {at_most_ns_more, seldom, 10, bare},
      {at_most_allocations, seldom, 0.01},
  };
  return w;
}

workload o3_sync_traces() {
  using enum target::kind;
  workload w{"O3_sync", "A tracer of sync components", {}, {}};
  w.contenders = {
      dispatching<consumer>(1),
      dispatching<producer>(1),
      dispatching<with_tracer<consumer>>(1),
      dispatching<with_tracer<producer>>(1),
  };
  for (contender& each : w.contenders) each.what = role::reference;
  w.contenders.front().what = role::baseline;
  w.targets = {
      {at_most_ns_more, with_tracer<consumer>::name, 10, consumer::name},
      {at_most_ns_more, with_tracer<producer>::name, 10, producer::name},
      {at_most_allocations, with_tracer<consumer>::name, 0},
      {at_most_allocations, with_tracer<producer>::name, 0},
  };
  return w;
}

}  // namespace bench
