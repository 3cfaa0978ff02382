#pragma once

/// Memory of one thread that is used again, and the allocator that wakes coroutines with it.

#include <asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <new>
#include <utility>

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

/// One block, inside the posting object. While it is in use, other requests get heap memory.
class wake_memory {
 public:
  static constexpr std::size_t size = 96;

  [[nodiscard]] void* take(std::size_t bytes) {
    if (bytes <= size && !in_use_.exchange(true, std::memory_order_acquire)) return place_;
    return ::operator new(bytes);
  }
  void give_back(void* block) noexcept {
    if (block != place_) return ::operator delete(block);
    in_use_.store(false, std::memory_order_release);
  }

 private:
  std::atomic<bool> in_use_{false};
  alignas(void*) std::byte place_[size];
};

/// An allocator for Asio. The posted function must keep the memory until it has left the executor's
/// queue.
template <class T>
class wake_allocator {
 public:
  using value_type = T;

  explicit wake_allocator(wake_memory& from) noexcept : from_(&from) {}
  template <class U>
  wake_allocator(const wake_allocator<U>& other) noexcept : from_(other.from_) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= alignof(void*));
    return static_cast<T*>(from_->take(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t) noexcept { from_->give_back(block); }
  [[nodiscard]] wake_memory* memory() const noexcept { return from_; }

  template <class U>
  friend bool operator==(const wake_allocator& a, const wake_allocator<U>& b) noexcept {
    return wake_allocator(b).from_ == a.from_;
  }

 private:
  template <class U>
  friend class wake_allocator;
  wake_memory* from_;
};

/// A function that Asio's functions `post` and `dispatch` keep in this memory.
template <class F>
struct in_memory {
  using allocator_type = wake_allocator<void>;

  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*memory); }
  void operator()() { std::move(function)(); }

  wake_memory* memory;
  F function;
};

}  // namespace msgbus::exec
