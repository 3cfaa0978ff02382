#pragma once

/// An optional part of an object, which few objects of its class need.

#include <msgbus/detail/core/config.hpp>

#include <atomic>
#include <memory>

namespace msgbus::detail {

/// Made on first use, on any thread, and destroyed with this object. Thread-safe; the part itself
/// has its own thread rule.
template <class T>
class on_demand {
 public:
  on_demand() = default;
  explicit on_demand(std::unique_ptr<T> made) noexcept : part_(made.release()) {}
  on_demand(const on_demand&) = delete;
  on_demand& operator=(const on_demand&) = delete;
  ~on_demand() { const std::unique_ptr<T> gone(part_.load(std::memory_order_acquire)); }

  /// Null before the first use.
  [[nodiscard]] T* get() const noexcept { return part_.load(std::memory_order_acquire); }

  T& made() {
    T* now = get();
    if (now) return *now;
    auto mine = std::make_unique<T>();
    // If several threads make one, all use the first.
    if (part_.compare_exchange_strong(now, mine.get(), std::memory_order_acq_rel)) {
      return *mine.release();
    }
    return *now;
  }

 private:
  std::atomic<T*> part_{nullptr};
};

}  // namespace msgbus::detail
