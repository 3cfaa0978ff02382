#include <msgbus/exec/wake_memory.hpp>

#include "support/catch.hpp"

namespace wake_memory_test {

using msgbus::exec::wake_allocator;
using msgbus::exec::wake_memory;

namespace {

bool is_inside(const wake_memory& memory, const void* block) {
  const auto* const begin = reinterpret_cast<const std::byte*>(&memory);
  const auto* const at = static_cast<const std::byte*>(block);
  return at >= begin && at < begin + sizeof memory;
}

}  // namespace

TEST_CASE("the one block is given to the first that asks, and again once it is given back") {
  wake_memory memory;
  void* const first = memory.take(64);
  CHECK(is_inside(memory, first));
  void* const second = memory.take(64);
  CHECK_FALSE(is_inside(memory, second));
  memory.give_back(second);
  memory.give_back(first);
  void* const third = memory.take(wake_memory::size);
  CHECK(third == first);
  memory.give_back(third);
}

TEST_CASE("what is larger than the block gets other memory") {
  wake_memory memory;
  void* const large = memory.take(wake_memory::size + 1);
  CHECK_FALSE(is_inside(memory, large));
  memory.give_back(large);
  void* const small = memory.take(1);
  CHECK(is_inside(memory, small));
  memory.give_back(small);
}

TEST_CASE("an allocator of any type takes from the memory that it was made with") {
  wake_memory memory, other;
  const wake_allocator<void> made(memory);
  wake_allocator<int> rebound(made);
  int* const block = rebound.allocate(4);
  CHECK(is_inside(memory, block));
  rebound.deallocate(block, 4);
  CHECK(rebound == made);
  CHECK_FALSE(made == wake_allocator<void>(other));
}

}  // namespace wake_memory_test
