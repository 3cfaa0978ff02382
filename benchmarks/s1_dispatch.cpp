// S1: one event, one handler. The least that a dispatch can cost.

#include "buses.hpp"
#include "workloads.hpp"

namespace bench {

workload s1_dispatch() {
  using enum target::kind;
  workload w{"S1", "Dispatch to 1 handler", {}, {}};
  w.contenders = {
      dispatching<functions>(1),
      dispatching<virtual_calls>(1),
      dispatching<consumer>(1),
      dispatching<producer>(1),
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
      dispatching<signals2>(1),
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
      dispatching<sigcpp>(1),
#endif
      dispatching_captured<functions>(1),
      dispatching_captured<consumer>(1),
  };
  w.targets = {
      {at_most_times, consumer::name, 2.0, functions::name},
      {at_most_times, dispatching_captured<consumer>(1).name, 2.2,
       dispatching_captured<functions>(1).name},
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
      {at_least_times_faster, consumer::name, 12, signals2::name},
#endif
      {at_most_allocations, consumer::name, 0},
      {at_most_allocations, dispatching_captured<consumer>(1).name, 0},
  };
  return w;
}

}  // namespace bench
