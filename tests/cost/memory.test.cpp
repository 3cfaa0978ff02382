// What an idle component costs in memory.

#include <msgbus/async.hpp>
#include <msgbus/sync.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <vector>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <malloc.h>

namespace memory_test {

namespace {

constexpr std::size_t many = 1000;

/// Of a component that is made of `parts`, once `use` was called for each.
template <class Component, class Use, class... Parts>
std::size_t bytes_of_used(Use use, const Parts&... parts) {
  std::vector<std::unique_ptr<Component>> all;
  all.reserve(many);
  use(*std::make_unique<Component>(parts...));  // what the process needs once is not counted
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < many; ++i) all.push_back(std::make_unique<Component>(parts...));
  for (const auto& each : all) use(*each);
  return (mallinfo2().uordblks - before) / many;
}

template <class Component, class... Parts>
std::size_t bytes_of_one(const Parts&... parts) {
  return bytes_of_used<Component>([](const Component&) {}, parts...);
}

}  // namespace

TEST_CASE("an idle component of the sync family fits in a kibibyte") {
  CHECK(bytes_of_one<msgbus::sync::consumer>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::subscriber>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::service>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::producer>() <= 1024);
  CHECK(bytes_of_one<msgbus::sync::publisher>() <= 1024);
}

TEST_CASE("an idle component of the async family fits in a kibibyte, its queue included") {
  asio::io_context context(1);
  const auto executor = context.get_executor();
  CHECK(bytes_of_one<msgbus::async::consumer>(executor) <= 1024);
  CHECK(bytes_of_one<msgbus::async::subscriber>(executor) <= 1024);
  CHECK(bytes_of_one<msgbus::async::service>(executor) <= 1024);
}

TEST_CASE("a consumer that has handled messages fits in a kibibyte and a half") {
  asio::io_context context(1);
  const auto posting = [&](int messages) {
    return [&context, messages](msgbus::async::consumer& to) {
      for (int i = 0; i < messages; ++i) CHECK(to.post(i).admitted == 1);
      context.restart();
      context.poll();
    };
  };
  const auto executor = context.get_executor();
  CHECK(bytes_of_used<msgbus::async::consumer>(posting(1), executor) <= 1536);
  CHECK(bytes_of_used<msgbus::async::consumer>(posting(1000), executor) <= 1536);
}

}  // namespace memory_test

#endif
