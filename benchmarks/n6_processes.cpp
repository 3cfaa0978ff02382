// N6: one process dispatches to many others, and many to one. What a delivered message costs must
// not grow with the number of processes, and a link must take little memory.

#include "processes.hpp"
#include "workloads.hpp"

#include <map>

namespace bench {

namespace {

// --- One to many, and many to one. ---------------------------------------------------------------

/// The contenders of a round share their processes.
std::shared_ptr<processes> members(unsigned count) {
  static std::map<unsigned, std::weak_ptr<processes>> all;
  auto there = all[count].lock();
  if (!there) all[count] = there = std::make_shared<processes>(child_role::member, count);
  return there;
}

struct to_many {
  std::shared_ptr<processes> others;
  asio::io_context here{1};
  msgbus::async::producer from;
  msgbus::bridge out = connected(here.get_executor());
  std::shared_ptr<histogram> each = std::make_shared<histogram>();

  explicit to_many(unsigned count) : others(members(count)) {
    msgbus::outbound_options how;
    how.prefix = others->prefix_out();
    out.outbound<blob>(from, how);
  }

  asio::awaitable<void> send_all(std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      const blob event = made_now();
      auto sending = from.send(event);
      (void)co_await std::move(sending);
    }
  }
  void send(std::uint64_t messages) {
    for (unsigned i = 0; i < others->count(); ++i) {
      child_state& one = (*others)[i];
      one.goal = one.handled + messages;
    }
    run_here(here, send_all(messages));
    others->wait_for_goals();
  }
  void add_latencies() const {
    for (unsigned i = 0; i < others->count(); ++i) each->add((*others)[i].latency_ns);
  }
  [[nodiscard]] std::uint64_t handled() const {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < others->count(); ++i) sum += (*others)[i].handled;
    return sum;
  }
};

struct from_many {
  std::shared_ptr<processes> others;
  arrivals count;
  std::shared_ptr<histogram> each = std::make_shared<histogram>();
  roaming_context there;
  msgbus::async::consumer to{there.executor()};
  msgbus::bridge in = connected(there.executor());

  explicit from_many(unsigned of) : others(members(of)) {
    to.handler([this](const blob& event) {
      each->add(age(event));
      count.handled();
    });
    msgbus::inbound_options how;
    how.prefix = others->prefix_in();
    in.inbound<blob>(to, how);
    flush(in);
  }

  void send(std::uint64_t messages) {
    count.expect(messages * others->count());
    for (unsigned i = 0; i < others->count(); ++i) {
      child_state& one = (*others)[i];
      one.to_send = messages;
      sem_post(&one.go);
    }
    count.wait();
  }
  void add_latencies() const {}  // its handler does
  [[nodiscard]] std::uint64_t handled() const { return count.count(); }
};

/// Counts what is delivered. With `one_by_one` a message is sent to each, or by each, when all of
/// the last ones are handled, and the time of each is kept.
template <class Way>
contender between(std::string name, unsigned count, bool one_by_one) {
  auto make = [count, one_by_one] {
    // Those before it in a round may have handled some.
    auto made = std::make_shared<Way>(count);
    subject way;
    way.handled = [made, before = made->handled()] { return made->handled() - before; };
    way.send = [made, count, one_by_one](std::uint64_t messages) {
      const std::uint64_t of_each = messages / count;
      if (!one_by_one) {
        made->send(of_each);
        return;
      }
      for (std::uint64_t i = 0; i < of_each; ++i) {
        made->send(1);
        made->add_latencies();
      }
    };
    if (one_by_one) way.each = made->each;
    return way;
  };
  return {std::move(name), role::project, make, 1, {}, count};
}

// --- The memory of a link. -----------------------------------------------------------------------

contender links(std::string name, child_role what) {
  auto make = [what] {
    auto made = std::make_shared<processes>(what, 1);
    subject all;
    all.handled = [made] { return (*made)[0].handled.load(); };
    all.send = [made](std::uint64_t messages) {
      (*made)[0].to_send = messages;
      sem_post(&(*made)[0].go);
      made->wait_for_goals();
    };
    all.grown_kib = [made] { return (*made)[0].kib_a_link.load(); };
    return all;
  };
  return {std::move(name), role::project, make};
}

}  // namespace

growth n6_processes() {
  const std::string out = "msgbus, one process to n";
  const std::string in = "msgbus, n processes to one";
  growth g;
  g.id = "N6_processes";
  g.title = "Events between one process and n others";
  g.size_is = "processes";
  g.sizes = {10, 50, 100};
  g.quick_sizes = {4};
  g.at = [out, in](std::uint64_t size) {
    const auto count = static_cast<unsigned>(size);
    return std::vector<contender>{between<to_many>(out, count, false),
                                  between<from_many>(in, count, false)};
  };
  g.targets = {{out, 10, 100, 1.5}, {in, 10, 100, 1.5}};
  g.unit = "delivered message";
  g.sample_ms = 300;  // a message wakes many threads, unless others come with it
  g.few = true;
  return g;
}

workload n6_latency(bool quick) {
  const unsigned count = quick ? 4 : 100;
  workload w{"N6_latency", "One event at a time, to or from each of 100 processes", {}, {}};
  w.sample_ms = 300;
  w.few = true;
  w.contenders = {between<to_many>("msgbus, one process to all", count, true),
                  between<from_many>("msgbus, all processes to one", count, true)};
  return w;
}

workload n6_links() {
  using enum target::kind;
  const std::string in = "msgbus, an inbound link more";
  const std::string out = "msgbus, an outbound link more";
  workload w{"N6_links", "Memory of each of 1 000 links", {}, {}};
  w.sample_ms = 20;
  w.few = true;
  w.contenders = {links(in, child_role::inbound_links), links(out, child_role::outbound_links)};
  w.targets = {{at_most_kib, in, 64}, {at_most_kib, out, 64}};
  return w;
}

}  // namespace bench
