#pragma once

/// Memory for what a coroutine keeps but cannot have in its frame, as only the caller knows the
/// size.

#include <cstddef>

namespace msgbus::exec {

/// Takes memory from where Asio takes it for its operations: a thread that runs an executor of Asio
/// keeps blocks that are free for the next.
class recycled_memory {
 public:
  /// Takes nothing yet.
  recycled_memory(std::size_t bytes, std::size_t alignment) noexcept
      : bytes_(bytes), alignment_(alignment) {}
  recycled_memory(recycled_memory&& other) noexcept;
  recycled_memory& operator=(recycled_memory&&) = delete;
  ~recycled_memory();

  /// The memory; to be called once.
  [[nodiscard]] void* take();

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t alignment() const noexcept { return alignment_; }

 private:
  void* at_ = nullptr;
  std::size_t bytes_;
  std::size_t alignment_;
};

/// Blocks of one size, for what every awaited verb needs. Each thread keeps a few that are free.
inline constexpr std::size_t block_bytes = 576;
[[nodiscard]] void* take_block();
void give_back_block(void* block) noexcept;

}  // namespace msgbus::exec
