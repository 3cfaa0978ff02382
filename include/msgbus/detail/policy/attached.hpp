#pragma once

/// A list of the coroutines that wait for a policy's object. Another module attaches it, since it
/// needs executors; objects that are used without an executor have none.

#include <msgbus/detail/core/config.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace msgbus::detail {

class waiters {
 public:
  waiters() = default;
  waiters(const waiters&) = delete;
  waiters& operator=(const waiters&) = delete;
  virtual ~waiters() = default;

  /// Wakes up to `many` coroutines. For any thread, not under a lock of the object.
  virtual void wake(std::size_t many) noexcept = 0;

  static constexpr std::size_t all = static_cast<std::size_t>(-1);
};

/// The list is made by the first wait, on any thread, and destroyed with this object. Thread-safe.
class attached_waiters {
 public:
  attached_waiters() = default;
  attached_waiters(const attached_waiters&) = delete;
  attached_waiters& operator=(const attached_waiters&) = delete;
  ~attached_waiters() { const std::unique_ptr<waiters> gone(there_.load()); }

  /// `T` is the same for every caller.
  template <class T>
  T& made() {
    waiters* now = there_.load(std::memory_order_acquire);
    if (now) return static_cast<T&>(*now);
    std::unique_ptr<waiters> mine = std::make_unique<T>();
    if (there_.compare_exchange_strong(now, mine.get(), std::memory_order_seq_cst)) {
      return static_cast<T&>(*mine.release());
    }
    return static_cast<T&>(*now);
  }

  void wake(std::size_t many) noexcept {
    if (waiters* const now = there_.load(std::memory_order_seq_cst)) now->wake(many);
  }

 private:
  std::atomic<waiters*> there_{nullptr};
};

}  // namespace msgbus::detail
