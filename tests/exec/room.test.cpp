#include <msgbus/exec/room.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <cstring>
#include <utility>

namespace room_test {

using msgbus::exec::room;

namespace {

bool is_aligned(const void* at, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(at) % alignment == 0;
}

}  // namespace

TEST_CASE("a room has so many bytes, aligned as asked for") {
  for (const std::size_t alignment : {1u, 8u, 16u, 64u, 4096u}) {
    for (const std::size_t bytes : {1u, 17u, 200u, 5000u}) {
      room one(bytes, alignment);
      room other(bytes, alignment);
      void* const at = one.take();
      void* const there = other.take();
      CHECK(is_aligned(at, alignment));
      CHECK(is_aligned(there, alignment));
      std::memset(at, 1, bytes);
      std::memset(there, 2, bytes);
      const room moved(std::move(one));
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
      room once(200, 8);
      first = once.take();
    }
    room again(190, 16);
    CHECK(again.take() == first);
  });
  CHECK(io.run() == 1);
}

}  // namespace room_test
