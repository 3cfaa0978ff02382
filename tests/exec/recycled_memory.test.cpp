#include <msgbus/exec/recycled_memory.hpp>

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
