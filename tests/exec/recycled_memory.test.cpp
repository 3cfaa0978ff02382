#include <msgbus/detail/exec/recycled_memory.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <cstring>
#include <utility>

namespace recycled_memory_test {

using msgbus::exec::recycled_memory;

namespace {

bool is_aligned(const void* at, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(at) % alignment == 0;
}

}  // namespace

TEST_CASE("recycled memory has so many bytes, aligned as asked for") {
  for (const std::size_t alignment : {1u, 8u, 16u, 64u, 4096u}) {
    for (const std::size_t bytes : {1u, 17u, 200u, 5000u}) {
      recycled_memory one(bytes, alignment);
      recycled_memory other(bytes, alignment);
      void* const at = one.take();
      void* const there = other.take();
      CHECK(is_aligned(at, alignment));
      CHECK(is_aligned(there, alignment));
      std::memset(at, 1, bytes);
      std::memset(there, 2, bytes);
      const recycled_memory moved(std::move(one));
      CHECK(moved.bytes() == bytes);
      CHECK(moved.alignment() == alignment);
      CHECK(static_cast<const char*>(at)[bytes - 1] == 1);
    }
  }
}

TEST_CASE("a thread that runs an executor takes the block that became free before") {
  asio::io_context io;
  asio::post(io, [] {
    void* first = nullptr;
    {
      recycled_memory once(200, 8);
      first = once.take();
    }
    recycled_memory again(190, 16);
    CHECK(again.take() == first);
  });
  CHECK(io.run() == 1);
}

}  // namespace recycled_memory_test

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

TEST_CASE("an object that is larger than the block gets other memory") {
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
