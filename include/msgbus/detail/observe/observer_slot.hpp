#pragma once

/// The objects that are attached to a component: an observer, measured times, a tracer, and
/// recorders of failures.

#include <msgbus/detail/observe/failure_recorder.hpp>
#include <msgbus/detail/observe/handling_times.hpp>
#include <msgbus/detail/routing/guard.hpp>
#include <msgbus/observer.hpp>

#include <atomic>
#include <memory>

namespace msgbus {
class tracer;
}  // namespace msgbus

namespace msgbus::detail {

/// The attached objects; at least one. Immutable.
struct attachments {
  msgbus::observer* observer = nullptr;
  handling_times* times = nullptr;
  const std::shared_ptr<tracer>* tracing = nullptr;
  const failure_recorders* recorders = nullptr;  // not empty
  bool has_others = false;                       // than a tracer

  void record_failure(const msgbus::step& message, const routing::entry* handler,
                      const std::exception_ptr& why, bool repeated = false) const noexcept;
  void record_unrouted(const msgbus::step& message) const noexcept;
};

/// Dispatches read it without locks, under a guard of the component's domain. Any thread may
/// replace the objects. They are behind one pointer, so a component without any pays for one load.
class observer_slot {
 public:
  observer_slot();
  ~observer_slot();
  observer_slot(const observer_slot&) = delete;
  observer_slot& operator=(const observer_slot&) = delete;

  /// The attached objects; null: none.
  [[nodiscard]] const attachments* attachments_now() const noexcept {
    return current_.load(std::memory_order_acquire);
  }

  /// The current observer, in a wrapper that catches and prints its exceptions; null if there is
  /// none.
  [[nodiscard]] observer* get() const noexcept {
    const attachments* const now = attachments_now();
    return now ? now->observer : nullptr;
  }

  /// Replaces the observer. The previous one is released when no dispatch can use it.
  void set(const routing::domain& guarded, std::shared_ptr<observer> observer);
  /// Replaces the measured times. Does not wait for dispatches.
  void set_times(const routing::domain& guarded, std::shared_ptr<handling_times> times);
  /// Replaces the tracer; null: none. Does not wait for dispatches.
  void set_tracer(const routing::domain& guarded, std::shared_ptr<tracer> tracer);
  /// Detaches these, unless others have replaced them.
  void end_times(const routing::domain& guarded, const handling_times& times);
  /// Adds and removes a recorder. Wait for no dispatch: one that has begun may still call it.
  void add_recorder(const routing::domain& guarded, std::shared_ptr<failure_recorder> added);
  void remove_recorder(const routing::domain& guarded, const failure_recorder& removed);

 private:
  class guarded_observer;
  struct attached;

  template <class Change>
  routing::retire_list change(const routing::domain& guarded, Change replace);

  // An `attached`, owned by the thread that removes it.
  std::atomic<attachments*> current_{nullptr};
};

}  // namespace msgbus::detail
