// A8: a minute of sending to a consumer that is half as fast as the sender. What waits is bounded,
// so memory must not grow, and it is the sender that waits: how long a `send` takes is shown.

#include "async_buses.hpp"
#include "memory.hpp"
#include "peer_asio.hpp"
#include "workloads.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

using clock = std::chrono::steady_clock;

constexpr double may_grow_kib = 1024;

void work(std::uint64_t steps) noexcept {
  for (std::uint64_t i = 0; i < steps; ++i) asm volatile("" : : : "memory");
}

double ns_since(clock::time_point start) {
  return std::chrono::duration<double, std::nano>(clock::now() - start).count();
}

/// Handlers work before they count.
struct working_tally : tally {
  void handled(const order_created& event) noexcept {
    work(steps);
    tally::handled(event);
  }
  std::uint64_t steps = 0;  // changed while nothing is under way
};

template <class Way>
asio::awaitable<void> send_all(Way& to, histogram& each, std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) {
    const order_created event{i, 9.99};
    const auto start = clock::now();
    (void)co_await to.async_send(event);
    each.add(static_cast<std::uint64_t>(ns_since(start)));
  }
}

template <class Way, class... Given>
class slowed {
 public:
  explicit slowed(const Given&... given) : lanes_(1U, given...) { slow_down(); }

  void send(std::uint64_t messages) {
    lanes_.count.expect(messages);
    run_here(context_, send_all(lanes_.way, *each_, messages));
    lanes_.count.wait();
  }

  /// Since the first call.
  double grown_kib() {
    const double now = resident_kib();
    if (first_kib_ == 0) first_kib_ = now;
    grown_kib_ = std::max(grown_kib_, now - first_kib_);
    if (grown_kib_ > may_grow_kib) {
      std::fprintf(stderr, "\nthe process has grown by %.0f KiB\n", grown_kib_);
      std::_Exit(1);
    }
    return grown_kib_;
  }

  [[nodiscard]] std::uint64_t handled() const { return lanes_.count.count() - unslowed; }
  [[nodiscard]] std::shared_ptr<histogram> each() const { return each_; }

 private:
  static constexpr std::uint64_t unslowed = 100'000;

  // So that handling a message takes twice as long as sending one did, with nothing to wait for.
  void slow_down() {
    const auto start = clock::now();
    send(unslowed);
    const double ns_each = ns_since(start) / unslowed;
    constexpr std::uint64_t steps = 10'000'000;
    const auto then = clock::now();
    work(steps);
    const double ns_a_step = ns_since(then) / steps;
    lanes_.count.steps = static_cast<std::uint64_t>(2 * ns_each / ns_a_step);
  }

  asio::io_context context_{1};
  across<Way, working_tally> lanes_;
  std::shared_ptr<histogram> each_ = std::make_shared<histogram>();
  double first_kib_ = 0;
  double grown_kib_ = 0;
};

template <class Way, class... Given>
contender slowly(std::string name, role what, Given... given) {
  auto make = [given...] {
    auto made = std::make_shared<slowed<Way, Given...>>(given...);
    subject sender;
    sender.send = [made](std::uint64_t messages) { made->send(messages); };
    sender.handled = [made] { return made->handled(); };
    sender.each = made->each();
    sender.grown_kib = [made] { return made->grown_kib(); };
    return sender;
  };
  return {std::move(name), what, make};
}

}  // namespace

workload a8_slow_consumer() {
  using enum target::kind;
  workload w{"A8", "Send for a minute to a consumer at half speed", {}, {}, "send"};
  w.lasting = true;
  w.sample_ms = 1000;
  w.contenders = {
      slowly<sending_to<working_tally>>("msgbus consumer.send", role::project, false),
      slowly<asio_channel_to<working_tally>>(asio_channel::name, asio_channel::what),
  };
  w.targets = {
      {at_most_kib, "msgbus consumer.send", may_grow_kib},
      {at_most_allocations, "msgbus consumer.send", 0.01},
  };
  return w;
}

}  // namespace bench
