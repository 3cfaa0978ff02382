#pragma once

/// The observer of a component.

#include <msgbus/detail/snapshot/guard.hpp>
#include <msgbus/observer.hpp>

#include <atomic>
#include <memory>

namespace msgbus::detail {

/// Dispatches read it without locks, under a guard of the component's domain. Any thread may
/// replace the observer.
class observer_slot {
 public:
  observer_slot();
  ~observer_slot();

  /// The current observer, in a wrapper that catches and prints its exceptions; null if there is
  /// none.
  [[nodiscard]] observer* get() const noexcept { return current_.load(std::memory_order_acquire); }

  /// Replaces the observer. The previous one is released when no dispatch can use it.
  void set(const snapshot::domain& guarded, std::shared_ptr<observer> observer);

 private:
  class guarded_observer;

  // A `guarded_observer`, owned by the thread that removes it.
  std::atomic<observer*> current_{nullptr};
};

}  // namespace msgbus::detail
