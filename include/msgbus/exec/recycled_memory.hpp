#pragma once

/// Memory for data of a coroutine whose size only the caller knows.

#include <cstddef>

namespace msgbus::exec {

/// Memory from Asio's cache for operations: a thread that runs an Asio executor keeps free blocks.
class recycled_memory {
 public:
  /// Allocates nothing yet.
  recycled_memory(std::size_t bytes, std::size_t alignment) noexcept
      : bytes_(bytes), alignment_(alignment) {}
  recycled_memory(recycled_memory&& other) noexcept;
  recycled_memory& operator=(recycled_memory&&) = delete;
  ~recycled_memory();

  /// Allocates the memory. Call it once.
  [[nodiscard]] void* take();

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t alignment() const noexcept { return alignment_; }

 private:
  void* at_ = nullptr;
  std::size_t bytes_;
  std::size_t alignment_;
};

/// Blocks of one size, for every awaited verb. Each thread keeps a few free ones.
inline constexpr std::size_t block_bytes = 576;
[[nodiscard]] void* take_block();
void give_back_block(void* block) noexcept;

}  // namespace msgbus::exec
