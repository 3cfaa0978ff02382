#pragma once

/// A part that few objects of a class need.

#include <msgbus/core/namespaces.hpp>

#include <atomic>
#include <memory>

namespace msgbus::detail {

/// Made by whoever needs it first, on any thread, and destroyed with this. Thread-safe; what is
/// done with the part itself is the part's business.
template <class T>
class on_demand {
 public:
  on_demand() = default;
  explicit on_demand(std::unique_ptr<T> made) noexcept : part_(made.release()) {}
  on_demand(const on_demand&) = delete;
  on_demand& operator=(const on_demand&) = delete;
  ~on_demand() { const std::unique_ptr<T> gone(part_.load(std::memory_order_acquire)); }

  /// Null if nobody has needed it so far.
  [[nodiscard]] T* get() const noexcept { return part_.load(std::memory_order_acquire); }

  T& made() {
    T* now = get();
    if (now) return *now;
    auto mine = std::make_unique<T>();
    // Of several threads that make one, the first gives it to all.
    if (part_.compare_exchange_strong(now, mine.get(), std::memory_order_acq_rel)) {
      return *mine.release();
    }
    return *now;
  }

 private:
  std::atomic<T*> part_{nullptr};
};

}  // namespace msgbus::detail
