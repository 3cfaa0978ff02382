#pragma once

/// Where a component keeps its observer.

#include <msgbus/observe/observer.hpp>
#include <msgbus/snapshot/guard.hpp>

#include <atomic>
#include <memory>

namespace msgbus::detail {

/// Read without locks by dispatches, which hold a guard of the component's domain; replaced from
/// any thread.
class observer_slot {
 public:
  observer_slot();
  ~observer_slot();

  /// Stands in front of the observer that was set: what that throws is one line on stderr, and
  /// goes no further. Null if there is none.
  [[nodiscard]] observer* get() const noexcept { return current_.load(std::memory_order_acquire); }

  /// The observer before is let go when no dispatch can be using it.
  void set(const snapshot::domain& guarded, std::shared_ptr<observer> watcher);

 private:
  class guarded_observer;

  // A `guarded_observer`, which belongs to whoever takes it out.
  std::atomic<observer*> current_{nullptr};
};

}  // namespace msgbus::detail
