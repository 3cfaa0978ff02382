// A9: a message to a thread that sleeps, until its handler starts. Each message is timed by itself.
// Most of it is the waking of a core.

#include "async_buses.hpp"
#include "peer_asio.hpp"
#include "peer_caf.hpp"
#include "peer_zeromq.hpp"
#include "queues.hpp"
#include "workloads.hpp"

#include <atomic>
#include <chrono>

namespace bench {

namespace {

/// A thread that waits for an atomic to change. For one message at a time.
class notified {
 public:
  static constexpr const char* name = "std::atomic notify_one";
  static constexpr role what = role::baseline;

  notified(tally& count, unsigned /*producers*/, unsigned core)
      : thread_([this, &count, core] {
          stay_on(core);
          for (unsigned seen = 0;;) {
            sent_.wait(seen);
            seen = sent_;
            if (over_) return;
            count.handled(event_);
          }
        }) {}
  ~notified() {
    over_ = true;
    ++sent_;
    sent_.notify_one();
    thread_.join();
  }
  notified(const notified&) = delete;

  void send(unsigned /*producer*/, const order_created& event) {
    event_ = event;
    ++sent_;
    sent_.notify_one();
  }

 private:
  order_created event_{};
  std::atomic<bool> over_{false};
  std::atomic<unsigned> sent_{0};  // how often
  std::thread thread_;
};

template <class Way>
contender waking() {
  auto make = [] {
    auto made = std::make_shared<across<Way>>(1U);
    auto each = std::make_shared<histogram>();
    subject sender;
    sender.each = each;
    sender.handled = [made] { return made->count.count(); };
    sender.send = [made, each](std::uint64_t messages) {
      for (std::uint64_t i = 0; i < messages; ++i) {
        idle();
        made->count.expect(1);
        const auto start = std::chrono::steady_clock::now();
        made->way.send(0, order_created{i, 9.99});
        made->count.wait();
        const std::chrono::nanoseconds took = made->count.arrival() - start;
        each->add(static_cast<std::uint64_t>(took.count()));
      }
    };
    return sender;
  };
  return {Way::name, Way::what, make};
}

}  // namespace

workload a9_wake() {
  using enum target::kind;
  workload w{"A9", "Post to an idle thread, until its handler starts", {}, {}};
  w.sample_ms = 10;
  w.contenders = {
      waking<notified>(),          waking<posting>(),
#ifdef MSGBUS_BENCH_WITH_TBB
      waking<tbb_bounded_queue>(),
#endif
#ifdef MSGBUS_BENCH_WITH_ZEROMQ
      waking<zeromq_push>(),
#endif
#ifdef MSGBUS_BENCH_WITH_CAF
      waking<caf_actor>(),
#endif
      waking<asio_post>(),         waking<asio_strand>(), waking<asio_channel>(),
  };
  w.targets = {
      {at_most_times, posting::name, 1.05, asio_post::name},
  };
  return w;
}

}  // namespace bench
