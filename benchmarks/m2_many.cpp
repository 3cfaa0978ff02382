// M2: one message to each of 100 000 consumers of one context, until all are handled; and what they
// take of memory, handlers and first messages included. The baseline posts as many functions.

#include "async_buses.hpp"
#include "memory.hpp"
#include "workloads.hpp"

#include <deque>
#include <vector>

namespace bench {

namespace {

constexpr std::uint64_t many = 100'000;

/// A `Target` is made with an executor and a counter, and has `post(event)`.
template <class Target>
class posting_to_each {
 public:
  posting_to_each() : kib_before_(heap_kib()) {
    for (std::uint64_t i = 0; i < many; ++i) all_.emplace_back(context_.get_executor(), handled_);
  }

  void send(std::uint64_t rounds) {
    for (std::uint64_t i = 0; i < rounds; ++i) {
      for (Target& each : all_) each.post(order_created{i, 9.99});
      context_.restart();
      context_.poll();
    }
    kib_ = heap_kib() - kib_before_;
  }

  [[nodiscard]] std::uint64_t handled() const { return handled_; }
  [[nodiscard]] double grown_kib() const { return kib_; }

 private:
  const double kib_before_;
  double kib_ = 0;
  std::uint64_t handled_ = 0;
  asio::io_context context_{1};
  std::deque<Target> all_;
};

struct consumer {
  static constexpr const char* name = "msgbus consumer.post, to each";

  consumer(const asio::any_io_executor& on, std::uint64_t& handled) : bus(on) {
    bus.handler([&handled](const order_created&) { ++handled; });
  }
  void post(const order_created& event) { (void)bus.post(event); }

  msgbus::async::consumer bus;
};

struct function {
  static constexpr const char* name = "asio::post of the same handlers";

  function(asio::io_context::executor_type on, std::uint64_t& counted)
      : executor(on), handled(counted) {}
  void post(const order_created& event) {
    asio::post(executor, [event, &count = handled] {
      asm volatile("" : : "r"(&event) : "memory");
      ++count;
    });
  }

  asio::io_context::executor_type executor;
  std::uint64_t& handled;
};

template <class Target>
contender posting_to_all(role what) {
  auto make = [] {
    auto made = std::make_shared<posting_to_each<Target>>();
    subject one;
    one.send = [made](std::uint64_t rounds) { made->send(rounds); };
    one.handled = [made] { return made->handled(); };
    one.grown_kib = [made] { return made->grown_kib(); };
    return one;
  };
  return {Target::name, what, make, many};
}

}  // namespace

workload m2_many() {
  using enum target::kind;
  workload w{"M2", "One post to each of 100 000 consumers", {}, {}, "round"};
  w.sample_ms = 10;
  w.contenders = {posting_to_all<function>(role::baseline),
                  posting_to_all<consumer>(role::project)};
  w.targets = {{at_most_times, consumer::name, 2, function::name},
               {at_most_kib, consumer::name, 150e6 / 1024}};
  return w;
}

}  // namespace bench
