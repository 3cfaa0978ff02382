#include <msgbus/detail/bridge/shared_blocks.hpp>

#include <array>
#include <mutex>
#include <utility>

namespace msgbus::bridging {

namespace {

/// Lies in a free block.
struct free_block {
  free_block* next;
};

constexpr unsigned chain_length = 32;
constexpr std::size_t most_chains = 32;

void delete_all(free_block* chain) noexcept {
  while (chain != nullptr) ::operator delete(std::exchange(chain, chain->next));
}

/// Whole chains, which no thread has. Never destroyed: threads may outlive static objects.
class chain_store {
 public:
  static chain_store& instance() {
    static auto& only = *new chain_store;
    return only;
  }

  /// Null if there is none.
  free_block* take() noexcept {
    const std::lock_guard lock(mutex_);
    return count_ == 0 ? nullptr : chains_[--count_];
  }
  /// False if there are enough.
  bool put(free_block* chain) noexcept {
    const std::lock_guard lock(mutex_);
    if (count_ == chains_.size()) return false;
    chains_[count_++] = chain;
    return true;
  }

 private:
  std::mutex mutex_;
  std::array<free_block*, most_chains> chains_{};
  std::size_t count_ = 0;
};

/// The blocks of one thread: a whole chain or none, and one that grows and shrinks. So a thread
/// that gives back and takes by turns does not go to the store each time.
struct blocks_of_thread {
  free_block* first = nullptr;
  unsigned count = 0;
  free_block* whole = nullptr;
  bool keeps = false;  // not before the first block, and not when the thread ends
  bool ended = false;
};

constinit thread_local blocks_of_thread mine{};

struct at_thread_end {
  ~at_thread_end() {
    mine.ended = true;
    mine.keeps = false;
    delete_all(std::exchange(mine.first, nullptr));
    delete_all(std::exchange(mine.whole, nullptr));
    mine.count = 0;
  }
  void keep() const noexcept { mine.keeps = true; }
};

void keep_from_here_on() noexcept {
  if (mine.ended) return;
  thread_local const at_thread_end cleaning;
  cleaning.keep();
}

void* take_from_elsewhere() {
  if (!mine.keeps) keep_from_here_on();
  free_block* chain = std::exchange(mine.whole, nullptr);
  if (chain == nullptr && mine.keeps) chain = chain_store::instance().take();
  if (chain == nullptr) return ::operator new(shared_block_bytes);
  mine.first = chain->next;
  mine.count = chain_length - 1;
  return chain;
}

void begin_another_chain() noexcept {
  if (mine.whole != nullptr && !chain_store::instance().put(mine.whole)) delete_all(mine.whole);
  mine.whole = std::exchange(mine.first, nullptr);
  mine.count = 0;
}

}  // namespace

void* take_shared_block() {
  free_block* const block = mine.first;
  if (block == nullptr) [[unlikely]]
    return take_from_elsewhere();
  mine.first = block->next;
  --mine.count;
  return block;
}

void give_back_shared_block(void* block) noexcept {
  if (!mine.keeps) [[unlikely]]
    keep_from_here_on();
  if (!mine.keeps) return ::operator delete(block);
  mine.first = ::new (block) free_block{mine.first};
  if (++mine.count == chain_length) [[unlikely]]
    begin_another_chain();
}

}  // namespace msgbus::bridging
