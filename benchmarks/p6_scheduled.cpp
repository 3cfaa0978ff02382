// P6: a million messages that are scheduled and become due, beside a million timers of Asio with
// the same times, each with a message in its handler. Times are in random order within a
// millisecond, and all are scheduled before the first one is looked at: what is measured is the
// order that is kept. The memory is what they take while they wait.

#include "async_buses.hpp"
#include "memory.hpp"
#include "workloads.hpp"

#include <asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <random>
#include <vector>

namespace bench {

namespace {

constexpr std::uint64_t many = 1'000'000;

std::vector<std::chrono::nanoseconds> random_times() {
  std::mt19937 random(1);
  std::vector<std::chrono::nanoseconds> all(many);
  for (auto& each : all) each = std::chrono::nanoseconds(random() % 1'000'000);
  return all;
}

/// A `Schedule` is made with a context and a counter, and has `send_at(time, event)` and `clear()`.
template <class Schedule>
class scheduling {
 public:
  void send(std::uint64_t rounds) {
    for (std::uint64_t i = 0; i < rounds; ++i) {
      const double before = heap_kib();
      const auto now = std::chrono::steady_clock::now();
      for (const auto after : times_) schedule_.send_at(now + after, order_created{i, 9.99});
      kib_ = heap_kib() - before;
      context_.restart();
      context_.run();
      schedule_.clear();
    }
  }

  [[nodiscard]] std::uint64_t handled() const { return handled_; }
  [[nodiscard]] double grown_kib() const { return kib_; }

 private:
  const std::vector<std::chrono::nanoseconds> times_ = random_times();
  double kib_ = 0;
  std::uint64_t handled_ = 0;
  asio::io_context context_{1};
  Schedule schedule_{context_, handled_};
};

struct messages {
  static constexpr const char* name = "msgbus consumer.send_at";

  messages(asio::io_context& in, std::uint64_t& handled) : bus(in) {
    bus.handler([&handled](const order_created&) { ++handled; });
  }
  void send_at(std::chrono::steady_clock::time_point due, const order_created& event) {
    (void)bus.send_at(due, event);
  }
  void clear() {}

  msgbus::async::consumer bus;
};

struct timers {
  static constexpr const char* name = "asio::steady_timer for each";

  timers(asio::io_context& in, std::uint64_t& counted) : context(in), handled(counted) {}
  void send_at(std::chrono::steady_clock::time_point due, const order_created& event) {
    all.emplace_back(context, due).async_wait([event, &count = handled](std::error_code ended) {
      asm volatile("" : : "r"(&event) : "memory");
      if (!ended) ++count;
    });
  }
  void clear() { all.clear(); }

  asio::io_context& context;
  std::uint64_t& handled;
  std::deque<asio::steady_timer> all;
};

template <class Schedule>
contender scheduling_all(role what) {
  auto make = [] {
    auto made = std::make_shared<scheduling<Schedule>>();
    subject one;
    one.send = [made](std::uint64_t rounds) { made->send(rounds); };
    one.handled = [made] { return made->handled(); };
    one.grown_kib = [made] { return made->grown_kib(); };
    return one;
  };
  return {Schedule::name, what, make, many};
}

}  // namespace

workload p6_scheduled() {
  using enum target::kind;
  workload w{"P6", "A million scheduled messages", {}, {}, "round"};
  w.sample_ms = 10;
  w.few = true;
  w.contenders = {scheduling_all<timers>(role::baseline), scheduling_all<messages>(role::project)};
  w.targets = {{at_most_times, messages::name, 1, timers::name},
               {at_most_kib, messages::name, 250e6 / 1024}};
  return w;
}

}  // namespace bench
