#include <msgbus/detail/exec/key_order.hpp>

#include "support/catch.hpp"

#include <msgbus/detail/exec/key_rule.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace key_order_test {

using msgbus::exec::key_order;
using msgbus::exec::keyed_ptr;
using msgbus::exec::message_with_key;
using msgbus::exec::queued_event;

namespace {

struct numbered {
  std::uint64_t key;
  int number;
};

keyed_ptr made(std::uint64_t key, int number) {
  auto with_key = std::make_unique<message_with_key<std::uint64_t>>(key);
  with_key->message = std::make_shared<queued_event<numbered>>(numbered{key, number});
  return with_key;
}

numbered in(const keyed_ptr& message) {
  return *static_cast<const numbered*>(message->message->message().data);
}

int number_in(const keyed_ptr& message) { return message ? in(message).number : -1; }

}  // namespace

TEST_CASE("messages of one key are taken one after the other, in order", "[P5]") {
  key_order order;
  for (int i = 0; i < 3; ++i) order.add(made(7, i));
  CHECK(order.keys() == 1);
  for (int i = 0; i < 3; ++i) {
    const keyed_ptr taken = order.take();
    CHECK(number_in(taken) == i);
    CHECK(order.ready() == 0);
    CHECK_FALSE(order.take());
    order.release(*taken);
  }
  CHECK(order.keys() == 0);
  CHECK(order.waiting() == 0);
}

TEST_CASE("a busy key holds up no other key", "[P5]") {
  key_order order;
  order.add(made(1, 10));
  order.add(made(1, 11));
  const keyed_ptr slow = order.take();
  for (std::uint64_t key = 2; key < 6; ++key) order.add(made(key, static_cast<int>(key)));
  for (std::uint64_t key = 2; key < 6; ++key) {
    const keyed_ptr taken = order.take();
    CHECK(in(taken).key == key);
    order.release(*taken);
  }
  CHECK_FALSE(order.take());
  order.release(*slow);
  const keyed_ptr next = order.take();
  CHECK(number_in(next) == 11);
  order.release(*next);
}

TEST_CASE("a key with many messages takes its turn behind the others that are ready", "[P5]") {
  key_order order;
  for (int i = 0; i < 100; ++i) order.add(made(1, i));
  order.add(made(2, 1000));
  order.add(made(3, 1001));
  std::vector<std::uint64_t> keys;
  for (int i = 0; i < 4; ++i) {
    const keyed_ptr taken = order.take();
    keys.push_back(in(taken).key);
    order.release(*taken);
  }
  CHECK(keys == std::vector<std::uint64_t>{1, 2, 3, 1});
}

TEST_CASE("the oldest of all that wait is dropped, whatever its key", "[P5][A6]") {
  key_order order;
  CHECK_FALSE(order.drop_oldest());
  order.add(made(1, 0));
  order.add(made(2, 1));
  order.add(made(1, 2));
  order.add(made(3, 3));
  const keyed_ptr busy = order.take();  // is not waiting
  CHECK(number_in(busy) == 0);
  CHECK(number_in(order.drop_oldest()) == 1);  // the only one of its key
  CHECK(order.keys() == 2);
  order.add(made(1, 4));
  CHECK(number_in(order.drop_oldest()) == 2);  // behind one in hand
  CHECK(order.waiting() == 2);
  order.release(*busy);
  const keyed_ptr three = order.take();
  CHECK(number_in(three) == 3);
  const keyed_ptr four = order.take();
  CHECK(number_in(four) == 4);
  order.release(*three);
  order.release(*four);
  CHECK(order.keys() == 0);
}

TEST_CASE("a key whose oldest message is dropped keeps its turn", "[P5][A6]") {
  key_order order;
  order.add(made(1, 0));
  order.add(made(2, 1));
  order.add(made(1, 2));
  CHECK(number_in(order.drop_oldest()) == 0);
  const keyed_ptr first = order.take();
  CHECK(number_in(first) == 2);
  const keyed_ptr second = order.take();
  CHECK(number_in(second) == 1);
  order.release(*first);
  order.release(*second);
}

TEST_CASE("keys with the same hash are different keys", "[P5]") {
  struct same_hash final : msgbus::exec::keyed_message {
    explicit same_hash(int of) : keyed_message(msgbus::detail::key_of<same_hash>, 1), key(of) {}
    bool equals(const keyed_message& other) const override {
      return key == static_cast<const same_hash&>(other).key;
    }
    int key;
  };
  key_order order;
  std::vector<keyed_ptr> taken;
  for (int i = 0; i < 100; ++i) order.add(std::make_unique<same_hash>(i % 50));
  while (keyed_ptr each = order.take()) taken.push_back(std::move(each));
  CHECK(taken.size() == 50);
  for (const keyed_ptr& each : taken) order.release(*each);
  CHECK(order.ready() == 50);
}

TEST_CASE("random steps have the results of a map of queues", "[P5]") {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    struct known_key {
      std::deque<int> waiting;
      bool is_busy = false;
    };
    std::map<std::uint64_t, known_key> model;
    std::deque<std::uint64_t> ready;
    std::deque<int> arrived;
    key_order order;
    std::vector<keyed_ptr> in_hand;
    int next = 0;
    const std::uint64_t keys = 1 + random() % 300;
    const auto adds = 2 + random() % 4;
    for (int step = 0; step < 1500; ++step) {
      const auto drawn = random() % 10;
      if (drawn < adds) {
        const std::uint64_t key = random() % keys;
        known_key& mine = model[key];
        if (mine.waiting.empty() && !mine.is_busy) ready.push_back(key);
        mine.waiting.push_back(next);
        arrived.push_back(next);
        order.add(made(key, next++));
      } else if (drawn < 6) {
        keyed_ptr taken = order.take();
        REQUIRE(static_cast<bool>(taken) == !ready.empty());
        if (!taken) continue;
        known_key& mine = model[ready.front()];
        REQUIRE(in(taken).key == ready.front());
        REQUIRE(number_in(taken) == mine.waiting.front());
        std::erase(arrived, mine.waiting.front());
        mine.waiting.pop_front();
        mine.is_busy = true;
        ready.pop_front();
        in_hand.push_back(std::move(taken));
      } else if (drawn < 9) {
        if (in_hand.empty()) continue;
        const std::size_t at = random() % in_hand.size();
        const keyed_ptr done = std::move(in_hand[at]);
        in_hand.erase(in_hand.begin() + static_cast<std::ptrdiff_t>(at));
        known_key& mine = model[in(done).key];
        mine.is_busy = false;
        if (!mine.waiting.empty()) ready.push_back(in(done).key);
        order.release(*done);
      } else {
        const keyed_ptr dropped = order.drop_oldest();
        REQUIRE(static_cast<bool>(dropped) == !arrived.empty());
        if (!dropped) continue;
        REQUIRE(number_in(dropped) == arrived.front());
        arrived.pop_front();
        known_key& mine = model[in(dropped).key];
        mine.waiting.pop_front();
        if (mine.waiting.empty() && !mine.is_busy) std::erase(ready, in(dropped).key);
      }
      REQUIRE(order.waiting() == arrived.size());
      REQUIRE(order.ready() == ready.size());
    }
    std::size_t there = 0;
    for (const auto& [key, each] : model) there += !each.waiting.empty() || each.is_busy ? 1 : 0;
    REQUIRE(order.keys() == there);
    for (const keyed_ptr& each : in_hand) order.release(*each);
  }
}

TEST_CASE("messages that wait at the end are destroyed with the order", "[P5][A12]") {
  const auto counted = std::make_shared<int>(1);
  {
    key_order order;
    for (std::uint64_t i = 0; i < 10; ++i) {
      auto each = std::make_unique<message_with_key<std::uint64_t>>(i % 3);
      auto share = counted;
      each->message = std::make_shared<queued_event<std::shared_ptr<int>>>(std::move(share));
      order.add(std::move(each));
    }
    CHECK(counted.use_count() == 11);
  }
  CHECK(counted.use_count() == 1);
}

}  // namespace key_order_test
