// A1: one thread sends, another one handles. What a message costs that crosses from core to core
// and does not wait for an answer.

#include "async_buses.hpp"
#include "peer_asio.hpp"
#include "peer_caf.hpp"
#include "peer_zeromq.hpp"
#include "queues.hpp"
#include "workloads.hpp"

namespace bench {

workload a1_post() {
  using enum target::kind;
  workload w{"A1", "Post, 1 producer and 1 consumer thread", {}, {}};
  w.sample_ms = 10;
  w.contenders = {
      sending_across<looked_into<moodycamel>>(1),
      sending_across<swapped_vector>(1),
      sending_across<posting>(1),
      sending_across<posting>(std::string(posting::name) + ", capacity 65 536", role::project, 1,
                              std::size_t{65'536}),
#ifdef MSGBUS_BENCH_WITH_LOCKFREE
      sending_across<looked_into<lockfree_spsc>>(1),
#endif
#ifdef MSGBUS_BENCH_WITH_TBB
      sending_across<looked_into<tbb_queue>>(1),
      sending_across<tbb_bounded_queue>(1),
#endif
#ifdef MSGBUS_BENCH_WITH_ZEROMQ
      sending_across<zeromq_push>(1),
#endif
#ifdef MSGBUS_BENCH_WITH_CAF
      sending_across<caf_actor>(1),
#endif
      sending_across<asio_post>(1),
      sending_across<asio_strand>(1),
      sending_across<asio_channel>(1),
  };
  w.targets = {
      {at_least_times_faster, posting::name, 1.2, swapped_vector::name},
#ifdef MSGBUS_BENCH_WITH_CAF
      {at_least_times_faster, posting::name, 6, caf_actor::name},
#endif
      {at_most_allocations, posting::name, 0.01},
  };
  return w;
}

}  // namespace bench
