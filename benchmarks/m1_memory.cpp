// M1: the memory of one component, all of it: idle, after its first message, and after a burst. The
// figure is the KiB column of the targets. What is timed is a post to one of the components, so
// that the rows show that they work.

#include "async_buses.hpp"
#include "memory.hpp"
#include "workloads.hpp"

#include <deque>

namespace bench {

namespace {

constexpr std::size_t components = 1000;

class measured {
 public:
  explicit measured(std::size_t messages_each) {
    const double before = heap_kib();
    for (std::size_t i = 0; i < components; ++i) all_.emplace_back(context_.get_executor());
    for (std::size_t i = 0; i < messages_each; ++i) {
      for (auto& each : all_) (void)each.post(order_created{i, 9.99});
    }
    run();
    kib_each_ = (heap_kib() - before) / components;
    all_.front().handler([this](const order_created&) { ++handled_; });
  }

  void send(std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      if (all_.front().post(order_created{i, 9.99}).rejected == 0) continue;
      run();
      --i;
    }
    run();
  }

  [[nodiscard]] std::uint64_t handled() const { return handled_; }
  [[nodiscard]] double kib_each() const { return kib_each_; }

 private:
  void run() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_{1};
  std::deque<msgbus::async::consumer> all_;
  std::uint64_t handled_ = 0;
  double kib_each_ = 0;
};

contender measuring(std::string name, std::size_t messages_each) {
  auto make = [messages_each] {
    auto made = std::make_shared<measured>(messages_each);
    subject one;
    one.send = [made](std::uint64_t messages) { made->send(messages); };
    one.handled = [made] { return made->handled(); };
    one.grown_kib = [made] { return made->kib_each(); };
    return one;
  };
  return {std::move(name), role::project, make};
}

}  // namespace

workload m1_memory() {
  using enum target::kind;
  const std::string idle = "msgbus consumer, idle";
  const std::string used = "msgbus consumer, after its first message";
  const std::string after = "msgbus consumer, after a burst of 1 000 messages";
  workload w{"M1", "Memory of a component", {}, {}, "post and its handling"};
  w.contenders = {measuring(idle, 0), measuring(used, 1), measuring(after, 1000)};
  w.targets = {{at_most_kib, idle, 1}, {at_most_kib, used, 1.5}, {at_most_kib, after, 1.5}};
  return w;
}

}  // namespace bench
