#pragma once

// Operators new of which one allocation fails, in the executable of the only file that includes
// this. ThreadSanitizer has its own, so with that nothing is here but MSGBUS_TEST_NO_FAILING_NEW.

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MSGBUS_TEST_NO_FAILING_NEW
#endif
#elif defined(__SANITIZE_THREAD__)
#define MSGBUS_TEST_NO_FAILING_NEW
#endif

#ifndef MSGBUS_TEST_NO_FAILING_NEW

#include <cstdlib>
#include <new>

namespace msgbus_test {

/// The number of allocations of this thread until one fails; below zero: none will.
inline constinit thread_local long allocations_left = -1;

/// As long as it exists, the allocation with this number fails, from 0, and no other.
class failing_allocation {
 public:
  explicit failing_allocation(long number) noexcept { allocations_left = number; }
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;
  ~failing_allocation() { allocations_left = -1; }

  [[nodiscard]] static bool has_failed() noexcept { return allocations_left < 0; }
};

inline void* allocated_or_failed(std::size_t size) {
  const bool fails = allocations_left == 0;
  if (allocations_left >= 0) --allocations_left;
  void* const block = fails ? nullptr : std::malloc(size);
  if (!block) throw std::bad_alloc();
  return block;
}

}  // namespace msgbus_test

void* operator new(std::size_t size) { return msgbus_test::allocated_or_failed(size); }
void* operator new[](std::size_t size) { return msgbus_test::allocated_or_failed(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

#endif
