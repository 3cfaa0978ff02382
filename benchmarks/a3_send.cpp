// A3: A1 with coroutines on both sides: `co_await send`, which waits where the mailbox is full, and
// a handler that is a coroutine. The baseline crosses to no thread: it awaits a function that
// stands for sending, and one that stands for handling.

#include "async_buses.hpp"
#include "awaiting.hpp"
#include "peer_asio.hpp"
#include "workloads.hpp"

namespace bench {

namespace {

struct on_one_thread {
  asio::io_context context{1};
};

asio::awaitable<std::size_t> sent_and_handled(order_created event) {
  co_return co_await handled_by_function(event);
}

}  // namespace

workload a3_send() {
  using enum target::kind;
  const std::string baseline = "co_await, twice, on one thread";
  const std::string subject = "msgbus consumer.send, coroutine handler";
  workload w{"A3", "Send, 1 producer and 1 consumer thread, both coroutines", {}, {}};
  w.sample_ms = 10;
  w.contenders = {
      {baseline, role::baseline,
       [] {
         return awaiting(std::make_shared<on_one_thread>(), [](on_one_thread&, std::uint64_t i) {
           return sent_and_handled(order_created{i, 9.99});
         });
       }},
      awaiting_across<sending_to<tally>>(subject, role::project, true),
      awaiting_across<sending_to<tally>>(subject + ", capacity 65 536", role::project, true,
                                         std::size_t{65'536}),
      awaiting_across<sending_to<tally>>("msgbus consumer.send, plain handler", role::project,
                                         false),
      // A1, for its share.
      sending_across<posting>(posting::name, role::reference, 1),
      awaiting_across<asio_channel>(asio_channel::name, asio_channel::what),
  };
  w.targets = {
      {at_least_times_faster, subject, 6, asio_channel::name},
      {at_least_times_faster, subject, 0.6, posting::name},
      {at_most_allocations, subject, 0.01},
  };
  return w;
}

}  // namespace bench
