// What an idle component costs in memory.

#include <msgbus/sync.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <memory>
#include <vector>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <malloc.h>

namespace memory_test {

namespace {

constexpr std::size_t many = 1000;

template <class Component>
std::size_t bytes_of_one() {
  std::vector<std::unique_ptr<Component>> all;
  all.reserve(many);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < many; ++i) all.push_back(std::make_unique<Component>());
  return (mallinfo2().uordblks - before) / many;
}

}  // namespace

TEST_CASE("an idle component of the sync family fits in a kibibyte") {
  CHECK(bytes_of_one<msgbus::sync::consumer>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::subscriber>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::service>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::producer>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::publisher>() <= 1024);
}

}  // namespace memory_test

#endif
