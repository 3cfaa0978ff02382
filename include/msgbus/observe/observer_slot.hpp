#pragma once

/// Where a component keeps its observer.

#include <msgbus/observe/observer.hpp>
#include <msgbus/snapshot/guard.hpp>

#include <atomic>
#include <memory>
#include <mutex>

namespace msgbus {

/// Read without locks by dispatches, which hold a guard of the component's domain; replaced from
/// any thread.
class observer_slot {
 public:
  [[nodiscard]] observer* get() const noexcept { return current_.load(std::memory_order_acquire); }

  /// The observer before is let go when no dispatch can be using it.
  void set(const snapshot::domain& guarded, std::shared_ptr<observer> watcher) {
    snapshot::trash old;
    {
      const std::lock_guard lock(writing_);
      current_.store(watcher.get(), std::memory_order_release);
      owner_.swap(watcher);
      old.add(std::shared_ptr<const void>(std::move(watcher)));
    }
    snapshot::retire(guarded, std::move(old));
  }

 private:
  std::atomic<observer*> current_{nullptr};
  std::mutex writing_;
  std::shared_ptr<observer> owner_;
};

}  // namespace msgbus
