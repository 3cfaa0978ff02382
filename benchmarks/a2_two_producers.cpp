// A2: A1 with two threads that send. They are on the first two cores, and the consumer on the third
// one if there is one: on a machine with two it shares the first producer's.

#include "async_buses.hpp"
#include "peer_asio.hpp"
#include "peer_caf.hpp"
#include "peer_zeromq.hpp"
#include "queues.hpp"
#include "workloads.hpp"

namespace bench {

workload a2_two_producers() {
  using enum target::kind;
  workload w{"A2", "Post, 2 producer threads and 1 consumer thread", {}, {}};
  w.sample_ms = 20;
  w.contenders = {
      sending_across<looked_into<moodycamel>>(2),
      sending_across<swapped_vector>(2),
      sending_across<posting>(2),
      sending_across<posting>(std::string(posting::name) + ", capacity 65 536", role::project, 2,
                              std::size_t{65'536}),
#ifdef MSGBUS_BENCH_WITH_LOCKFREE
      sending_across<looked_into<lockfree_queue>>(2),
#endif
#ifdef MSGBUS_BENCH_WITH_TBB
      sending_across<looked_into<tbb_queue>>(2),
      sending_across<tbb_bounded_queue>(2),
#endif
#ifdef MSGBUS_BENCH_WITH_ZEROMQ
      sending_across<zeromq_push>(2),
#endif
#ifdef MSGBUS_BENCH_WITH_CAF
      sending_across<caf_actor>(2),
#endif
      sending_across<asio_post>(2),
      sending_across<asio_strand>(2),
      sending_across<asio_channel>(2),
  };
  w.targets = {
      {at_least_times_faster, posting::name, 1, looked_into<moodycamel>::name},
#ifdef MSGBUS_BENCH_WITH_CAF
      {at_least_times_faster, posting::name, 4, caf_actor::name},
#endif
      {at_most_allocations, posting::name, 0.05},
  };
  return w;
}

}  // namespace bench
