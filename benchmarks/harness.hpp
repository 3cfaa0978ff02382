#pragma once

/// How workloads are described and measured. A workload is a list of contenders; the harness sets
/// each of them up several times over, runs them in turn, and takes medians. For one thread.

#include "histogram.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// The message of every workload.
struct order_created {
  std::uint64_t id;
  double amount;
};

/// The compiler must assume that memory was read and written here: a counter that was increased is
/// stored, and what was loaded is loaded again. Every contender has it once per message.
inline void clobber() noexcept { asm volatile("" : : : "memory"); }

/// What handlers count in. That it is a global matters: the baseline is slower than with a counter
/// that is captured, and the ratios to it are kinder to msgbus. S1 and S2 measure and judge both.
inline constinit std::uint64_t counter = 0;

/// The same pointer, of which the compiler has forgotten what it knew.
template <class T>
[[nodiscard]] T* opaque(T* pointer) noexcept {
  asm volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

/// A contender that is set up.
struct subject {
  std::function<void(std::uint64_t messages)> send;  // this is timed
  std::function<std::uint64_t()> handled;            // by how many handlers, since it was set up
  std::function<void()> before = [] {};              // called before `send`, and not timed:
  std::function<void()> after = [] {};               // for what takes its time to wake up
  // Where messages are timed one by one: `send` adds what each has taken.
  std::shared_ptr<histogram> each = {};
  // Where memory is watched: by how much the process has grown since the first sample.
  std::function<double()> grown_kib = {};
  // Where messages must be there before they are timed: puts so many there. Called before `before`.
  std::function<void(std::uint64_t messages)> stock = {};
};

/// What a row stands for. A reference is shown, and compared with neither as baseline nor as peer.
enum class role { baseline, reference, project, peer };

struct contender {
  std::string name;
  role what;
  std::function<subject()> make;
  std::uint64_t handlers = 1;  // how many of them each message must reach
  std::string baseline =
      {};                // the row to compare with, where it is not the workload's first baseline
  unsigned threads = 1;  // that send
};

/// A promise of the performance page: the figure of a row, beside its limit.
struct target {
  enum class kind {
    at_most_times,          // the row's median, divided by the other row's
    at_most_times_p99_9,    // the same of what one message in 1 000 exceeds
    at_most_ns,             // the row's median
    at_most_ns_more,        // the row's median, less the other row's
    at_most_times_more,     // the same, divided by the median of the row that is the unit
    at_least_times_faster,  // the other row's median, divided by the row's
    at_least_millions,      // messages a second
    at_most_allocations,    // a message
    at_most_kib             // that the process has grown by
  };
  kind what;
  std::string row;
  double limit;
  std::string other = {};
  std::string unit = {};
};

struct workload {
  std::string id;
  std::string title;
  std::vector<contender> contenders;
  std::vector<target> targets;
  std::string unit = "message";
  double sample_ms = 2;
  bool lasting = false;  // set up once, and then run for 60 samples on end
  bool few = false;      // the same for seven samples, where they are long
};

/// A promise of how little a cost grows from one size to another: so many times, or so many times
/// as much as another line's.
struct growth_target {
  std::string line;
  std::uint64_t from;
  std::uint64_t to;
  double limit;
  std::string other = {};
};

/// A cost over a size: one point of a plot for each size and contender.
struct growth {
  std::string id;
  std::string title;
  std::string size_is;  // what grows
  std::vector<std::uint64_t> sizes;
  std::function<std::vector<contender>(std::uint64_t size)> at;
  std::vector<growth_target> targets;
  std::string unit = "message";
  double sample_ms = 2;
  bool few = false;                             // as in `workload`
  std::vector<std::uint64_t> quick_sizes = {};  // for a smoke test; empty: those up to 1 000
};

/// A subject around a `State` whose handlers increase `count`. `once(state, i)` sends a message.
template <class State, class Once>
subject sending(std::shared_ptr<State> state, Once once, std::uint64_t& count = counter) {
  auto handled = std::make_shared<std::uint64_t>(0);
  return {[state, once, &count, handled](std::uint64_t messages) {
            const std::uint64_t before = count;
            State* const to = opaque(state.get());
            for (std::uint64_t i = 0; i < messages; ++i) {
              once(*to, i);
              clobber();
            }
            *handled += count - before;
          },
          [handled] { return *handled; }};
}

/// How many times this thread has called the global operator new, or aligned_alloc.
[[nodiscard]] std::uint64_t allocations_here() noexcept;

/// For threads that work for a subject: adds to what the running sample has allocated.
void add_allocations(std::uint64_t count) noexcept;

struct row {
  std::string name;
  role what;
  std::vector<double> ns;  // per message, one for each sample, sorted
  double allocations = 0;  // per message
  std::uint64_t messages = 0;
  std::string baseline = {};
  unsigned threads = 1;
  std::optional<histogram> each = {};  // of single messages, instead of `ns`
  std::optional<double> grown_kib = {};

  [[nodiscard]] double at(double quantile) const;
  [[nodiscard]] double median() const { return at(0.5); }
};

struct options {
  bool quick = false;   // only to see that it runs
  bool points = false;  // of a curve: there are many of them
  bool lasting = false;
  bool few = false;
  [[nodiscard]] int rounds() const { return quick || lasting || few ? 1 : points ? 3 : 7; }
  [[nodiscard]] int samples() const {  // in each round
    if (lasting) return quick ? 20 : 60;
    return quick ? 3 : few ? 7 : points ? 11 : 31;
  }
};

/// Sets the contenders up anew for each round, and runs them in turn. Ends the program if a message
/// was not handled, or was handled twice.
std::vector<row> measure(const std::string& what, const std::vector<contender>& contenders,
                         double sample_ms, const options& how);

}  // namespace bench
