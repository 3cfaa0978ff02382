// S2: one event, ten handlers. What one more handler costs.

#include "buses.hpp"
#include "workloads.hpp"

namespace bench {

workload s2_dispatch_ten() {
  using enum target::kind;
  workload w{"S2", "Dispatch to 10 handlers", {}, {}};
  w.contenders = {
      dispatching<functions>(10),
      dispatching<virtual_calls>(10),
      dispatching<consumer>(10),
      dispatching<producer>(10),
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
      dispatching<signals2>(10),
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
      dispatching<sigcpp>(10),
#endif
      dispatching_captured<functions>(10),
      dispatching_captured<consumer>(10),
  };
  w.targets = {
      {at_most_times, consumer::name, 1.1, functions::name},
      {at_most_times, dispatching_captured<consumer>(10).name, 1.1,
       dispatching_captured<functions>(10).name},
      {at_most_allocations, consumer::name, 0},
      {at_most_allocations, dispatching_captured<consumer>(10).name, 0},
  };
  return w;
}

}  // namespace bench
