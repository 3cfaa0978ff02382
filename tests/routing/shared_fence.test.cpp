#include "routing/fence.hpp"

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

namespace shared_fence_test {

using msgbus::routing::guarding::shared_fence;
using msgbus_test::expect;

namespace {

std::atomic<int> calls{0};
std::counting_semaphore<> may_end{0};

void held_call() {
  ++calls;
  expect(may_end.try_acquire_for(msgbus_test::deadline), "the fence may end");
}

void wait_for(const auto& condition) {
  const auto late = std::chrono::steady_clock::now() + msgbus_test::deadline;
  while (!condition()) {
    expect(std::chrono::steady_clock::now() < late, "the condition holds in time");
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("a single caller makes one fence", "[D6]") {
  calls = 0;
  shared_fence fence(&held_call);
  may_end.release();
  fence.pass();
  CHECK(calls == 1);
}

TEST_CASE("callers that come during a fence share the next one", "[D6]") {
  calls = 0;
  shared_fence fence(&held_call);
  std::atomic<int> passed{0};
  std::vector<std::thread> callers;
  const auto call = [&] {
    callers.emplace_back([&] {
      fence.pass();
      ++passed;
    });
  };
  // given: a running fence
  call();
  wait_for([] { return calls == 1; });
  // when: three callers come meanwhile
  for (int i = 0; i < 3; ++i) call();
  wait_for([&] { return fence.waiting() == 3; });
  CHECK(passed == 0);

  // then: they do not share the running fence, but the next one
  may_end.release();  // ends the first fence, which began before the three calls
  wait_for([] { return calls == 2; });
  wait_for([&] { return passed == 1 && fence.waiting() == 2; });
  may_end.release();
  for (std::thread& each : callers) each.join();
  CHECK(passed == 4);
  CHECK(calls == 2);
}

}  // namespace shared_fence_test
