#include <msgbus/detail/exec/recycled_memory.hpp>

#include <asio/recycling_allocator.hpp>

#include <array>
#include <new>
#include <utility>

namespace msgbus::exec {

namespace {

struct chunk {
  alignas(std::max_align_t) std::byte bytes[alignof(std::max_align_t)];
};

using blocks = asio::recycling_allocator<chunk>;

std::size_t chunks(std::size_t bytes) { return (bytes + sizeof(chunk) - 1) / sizeof(chunk); }

}  // namespace

recycled_memory::recycled_memory(recycled_memory&& other) noexcept
    : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_), alignment_(other.alignment_) {}

recycled_memory::~recycled_memory() {
  if (!at_) return;
  if (alignment_ > alignof(chunk)) {
    ::operator delete(at_, std::align_val_t{alignment_});
  } else {
    blocks().deallocate(static_cast<chunk*>(at_), chunks(bytes_));
  }
}

namespace {

/// Blocks of one size that a thread keeps for later use.
struct spare_blocks {
  std::array<void*, 4> blocks;
  unsigned count = 0;
  unsigned capacity = 0;  // 0 before the first block, and when the thread ends
  bool ended = false;
};

constinit thread_local spare_blocks spare{};

struct at_thread_end {
  ~at_thread_end() {
    spare.ended = true;
    spare.capacity = 0;
    while (spare.count != 0) ::operator delete(spare.blocks[--spare.count]);
  }
  void set_up() const noexcept { spare.capacity = static_cast<unsigned>(spare.blocks.size()); }
};

void keep_from_here_on() noexcept {
  if (spare.ended) return;
  thread_local const at_thread_end cleaning;
  cleaning.set_up();
}

}  // namespace

void* take_block() {
  if (spare.count != 0) [[likely]]
    return spare.blocks[--spare.count];
  return ::operator new(block_bytes);
}

void give_back_block(void* block) noexcept {
  if (spare.capacity == 0) [[unlikely]]
    keep_from_here_on();
  if (spare.count < spare.capacity) {
    spare.blocks[spare.count++] = block;
  } else {
    ::operator delete(block);
  }
}

void* recycled_memory::take() {
  at_ = alignment_ > alignof(chunk) ? ::operator new(bytes_, std::align_val_t{alignment_})
                                    : blocks().allocate(chunks(bytes_));
  return at_;
}

}  // namespace msgbus::exec
