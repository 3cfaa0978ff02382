#pragma once

/// Memory for objects that one thread makes and another one destroys, such as received messages. An
/// allocator with blocks per thread never has one for the first thread, and the second thread must
/// lock the arena of the first.

#include <cstddef>
#include <new>

namespace msgbus::bridging {

/// Blocks of one size. Each thread keeps some free ones, and passes on the others in chains; a
/// thread without a block takes a chain. Thread-safe; at most half a megabyte is free.
inline constexpr std::size_t shared_block_bytes = 512;
[[nodiscard]] void* take_shared_block();
void give_back_shared_block(void* block) noexcept;

/// A base for classes of which objects are made by `new`. Larger ones come from elsewhere.
struct in_shared_block {
  static void* operator new(std::size_t bytes) {
    return bytes <= shared_block_bytes ? take_shared_block() : ::operator new(bytes);
  }
  static void operator delete(void* block, std::size_t bytes) noexcept {
    if (bytes <= shared_block_bytes) return give_back_shared_block(block);
    ::operator delete(block, bytes);
  }
};

/// For `std::allocate_shared`. Larger objects come from elsewhere.
template <class T>
class shared_block_allocator {
 public:
  using value_type = T;

  shared_block_allocator() = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): as the standard wants it
  shared_block_allocator(const shared_block_allocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (fits(count)) return static_cast<T*>(take_shared_block());
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{alignof(T)}));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    if (fits(count)) return give_back_shared_block(block);
    ::operator delete(block, std::align_val_t{alignof(T)});
  }

  template <class U>
  friend bool operator==(const shared_block_allocator&, const shared_block_allocator<U>&) noexcept {
    return true;
  }

 private:
  static constexpr bool fits(std::size_t count) noexcept {
    return count * sizeof(T) <= shared_block_bytes &&
           alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  }
};

}  // namespace msgbus::bridging
