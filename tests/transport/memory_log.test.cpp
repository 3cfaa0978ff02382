// Messages that are read from and erased in a stream of the memory transport.

#include "transport/memory_stream.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace memory_log_test {

using namespace std::chrono_literals;
using msgbus::transport::memory::memory_stream;
using msgbus::transport::memory::message;
using msgbus::transport::memory::time_point;

namespace {

constexpr time_point start{1h};

message made(std::string payload) {
  auto one = std::make_shared<msgbus::envelope>();
  one->topic = "orders.placed";
  one->payload = std::move(payload);
  return one;
}

msgbus::transport::stream_options orders(std::int64_t most = -1) {
  msgbus::transport::stream_options options;
  options.name = "ORDERS";
  options.topics = {"orders.>"};
  options.max_messages = most;
  return options;
}

std::vector<std::uint64_t> all_in(memory_stream& stream, time_point now = start) {
  std::vector<std::uint64_t> found;
  for (std::uint64_t from = 0;;) {
    const auto next = stream.read(from, now);
    if (!next) return found;
    found.push_back(next->sequence);
    from = next->sequence + 1;
  }
}

using numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a message is read with its age") {
  memory_stream stream(orders());
  (void)stream.store(made("one"), start);
  (void)stream.store(made("two"), start + 1s);
  const auto second = stream.read(2, start + 3s);
  REQUIRE(second.has_value());
  CHECK(second->one->payload == "two");
  CHECK(second->sequence == 2);
  CHECK(second->age == 2s);
}

TEST_CASE("the limit of messages counts those that are there") {
  memory_stream stream(orders(3));
  for (int i = 0; i < 3; ++i) (void)stream.store(made("x"), start);
  CHECK(stream.erase(2, start));
  (void)stream.store(made("x"), start);
  CHECK(all_in(stream) == numbers{1, 3, 4});
  (void)stream.store(made("x"), start);
  CHECK(all_in(stream) == numbers{3, 4, 5});
}

TEST_CASE("messages that are too old are neither read nor erased") {
  auto options = orders();
  options.max_age = 10s;
  memory_stream stream(options);
  (void)stream.store(made("x"), start);
  (void)stream.store(made("x"), start + 5s);
  CHECK(all_in(stream, start + 10s) == numbers{2});
  CHECK_FALSE(stream.erase(1, start + 10s));
  CHECK_FALSE(stream.erase(2, start + 15s));
}

TEST_CASE("an unsettled message that was erased is not delivered again") {
  memory_stream stream(orders());
  (void)stream.store(made("x"), start);
  (void)stream.store(made("x"), start);
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 1);
  durable->ask(1, 10);
  const auto first = stream.next(*durable, start);
  REQUIRE(first.has_value());
  CHECK(stream.erase(1, start));
  durable->nak(1, first->times, start);
  const auto next = stream.next(*durable, start);
  REQUIRE(next.has_value());
  CHECK(next->sequence == 2);
  CHECK(durable->unsettled() == 1);
  const auto again = stream.next(*durable, start + 1h);  // of the second one
  REQUIRE(again.has_value());
  CHECK(again->sequence == 2);
}

TEST_CASE("any order of stores and erasures leaves the messages that were not erased") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    memory_stream stream(orders());
    numbers there;
    std::uint64_t last = 0;
    for (int step = 0; step < 40; ++step) {
      if (random() % 2 == 0) {
        CHECK(stream.store(made("x"), start).sequence == ++last);
        there.push_back(last);
      } else {
        const std::uint64_t which = random() % (last + 3);
        const bool was_there = std::erase(there, which) == 1;
        CHECK(stream.erase(which, start) == was_there);
      }
      CHECK(all_in(stream) == there);
    }
  }
}

}  // namespace memory_log_test
