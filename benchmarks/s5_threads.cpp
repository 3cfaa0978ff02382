// S5: S1 from two threads at once, to the same bus. Readers that share nothing double; readers that
// write to one place, if only to a lock or to a count of references, get slower.
//
// libsigc++ is not here: a signal of it may be used by one thread only.

#include "buses.hpp"
#include "workloads.hpp"

namespace bench {

workload s5_threads() {
  using enum target::kind;
  workload w{"S5", "S1 from 2 threads", {}, {}};
  w.sample_ms = 10;
  for (const unsigned threads : {1U, 2U}) {
    w.contenders.push_back(dispatching_from<functions>(threads));
    w.contenders.push_back(dispatching_from<locked_functions>(threads));
    w.contenders.push_back(dispatching_from<consumer>(threads));
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
    w.contenders.push_back(dispatching_from<signals2>(threads));
#endif
  }
  // Two threads are compared with two, and one with one.
  const std::string one = dispatching_from<consumer>(1).name;
  const std::string two = dispatching_from<consumer>(2).name;
  for (contender& each : w.contenders) {
    each.baseline = dispatching_from<functions>(each.threads).name;
  }
  w.targets = {
      {at_least_times_faster, two, 1.9, one},
      {at_most_allocations, two, 0},
  };
  return w;
}

}  // namespace bench
