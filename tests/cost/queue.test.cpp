// What the queue of an ordered mailbox allocates and keeps.

#include <msgbus/detail/exec/block_queue.hpp>
#include <msgbus/detail/exec/send_operation.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace queue_test {

using msgbus::exec::block_queue;
using msgbus_test::allocations;
using msgbus_test::blocks_kept;

namespace {

bool put(block_queue& to, int number) {
  msgbus::exec::send_operation out = msgbus::exec::event_send_operation(number);
  const block_queue::claim claimed = to.try_claim(out.units());
  if (!claimed.at) return false;
  out.put(claimed.storage());
  block_queue::publish(claimed);
  return true;
}

bool pass(block_queue& through, int many) {
  bool passed = true;
  for (int i = 0; i < many; ++i) passed = passed && put(through, i);
  for (int i = 0; i < many && passed; ++i) {
    const msgbus::exec::queued_message* const taken = through.take();
    passed = taken && *static_cast<const int*>(taken->message().data) == i;
    if (taken) through.done();
  }
  return passed;
}

}  // namespace

TEST_CASE("a queue that stays about as long as it was allocates nothing") {
  block_queue messages(1000);
  for (int i = 0; i < 20; ++i) REQUIRE(pass(messages, 50));
  const long before = allocations;
  bool passed = true;
  for (int i = 0; i < 200; ++i) passed = passed && pass(messages, 50);
  CHECK(passed);
  CHECK(allocations == before);
}

TEST_CASE("a queue that was long gives its memory back, but for one block") {
  block_queue messages(100'000);
  const long before = blocks_kept;
  for (int lap = 0; lap < 3; ++lap) {
    REQUIRE(pass(messages, 10'000));
    CHECK(blocks_kept > before + 100);
    messages.shrink();
    CHECK(blocks_kept == before + 1);
  }
}

}  // namespace queue_test
