#include <msgbus/detail/bridge/shared_blocks.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bridging = msgbus::bridging;

namespace shared_blocks_test {

namespace {

template <class F>
void on_another_thread(F f) {
  std::thread(std::move(f)).join();
}

}  // namespace

TEST_CASE("blocks that one thread gives back are used by another") {
  std::vector<void*> taken(500);
  for (void*& each : taken) each = bridging::take_shared_block();
  const std::set<void*> before(taken.begin(), taken.end());
  CHECK(before.size() == taken.size());
  on_another_thread([&] {
    for (void* const each : taken) bridging::give_back_shared_block(each);
  });
  std::vector<void*> again(200);
  for (void*& each : again) each = bridging::take_shared_block();
  CHECK(std::set<void*>(again.begin(), again.end()).size() == again.size());
  CHECK(std::all_of(again.begin(), again.end(), [&](void* each) { return before.contains(each); }));
  for (void* const each : again) bridging::give_back_shared_block(each);
}

TEST_CASE("any number of blocks may be given back, and threads that keep some may end") {
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> taken(3000);
    on_another_thread([&] {
      for (void*& each : taken) each = bridging::take_shared_block();
    });
    on_another_thread([&] {
      for (void* const each : taken) bridging::give_back_shared_block(each);
    });
  }
}

TEST_CASE("an object that is larger than a block is made, too") {
  using large = std::array<std::string, 100>;
  const auto made = std::allocate_shared<large>(bridging::shared_block_allocator<large>());
  (*made)[99] = "the last of a hundred texts, which does not fit into its string";
  CHECK((*made)[0].empty());

  struct alignas(128) aligned {
    int value = 7;
  };
  const auto other = std::allocate_shared<aligned>(bridging::shared_block_allocator<aligned>());
  CHECK(other->value == 7);
}

TEST_CASE("objects whose class has its memory from blocks are made and destroyed") {
  struct small : bridging::in_shared_block {
    std::string text = "a text that is too long to be inside of its string";
  };
  struct large : bridging::in_shared_block {
    std::array<char, 2 * bridging::shared_block_bytes> bytes{};
  };
  std::vector<std::unique_ptr<small>> all(100);
  for (auto& each : all) each = std::make_unique<small>();
  on_another_thread([&] { all.clear(); });
  CHECK(all.empty());
  CHECK(std::make_unique<large>()->bytes.back() == 0);
}

}  // namespace shared_blocks_test
