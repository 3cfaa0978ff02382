#pragma once

/// The handle of a scheduled message, and the options of recurring ones.

#include <msgbus/detail/exec/due_queue.hpp>

#include <iosfwd>
#include <memory>
#include <utility>

namespace msgbus {

/// The options of `every`.
struct every_options {
  msgbus::missed missed = msgbus::missed::skip;  ///< what becomes of occurrences that are late
};
std::ostream& operator<<(std::ostream& out, const every_options& value);

namespace exec {

/// What a handle refers to. Thread-safe.
class schedule_target {
 public:
  virtual bool cancel(const due_key& key) noexcept = 0;
  [[nodiscard]] virtual bool is_scheduled(const due_key& key) const noexcept = 0;

 protected:
  ~schedule_target() = default;
};

struct scheduled_access;

}  // namespace exec

/// The handle of what `send_after`, `send_at` or `every` has scheduled. Dropping it cancels
/// nothing. A copy refers to the same. It may outlive the component and its context. Every function
/// may be called from any thread, also from inside handlers.
class scheduled {
 public:
  /// A handle of nothing: `done()` is true.
  scheduled() = default;

  /// Takes it back. True: in time, and the message will never be sent (P6); of `every`, no further
  /// message will be made. False: too late, as it was due, was cancelled before, or was given up.
  bool cancel() noexcept { return in_ && in_->cancel(key_); }

  /// Whether nothing is scheduled any more: the message was due, was cancelled, was refused by a
  /// closed component, or was given up.
  [[nodiscard]] bool done() const noexcept { return !in_ || !in_->is_scheduled(key_); }

 private:
  friend exec::scheduled_access;
  std::shared_ptr<exec::schedule_target> in_;
  exec::due_key key_;
};

namespace exec {

struct scheduled_access {
  [[nodiscard]] static scheduled make(std::shared_ptr<schedule_target> in, due_key key) noexcept {
    scheduled made;
    made.in_ = std::move(in);
    made.key_ = key;
    return made;
  }
};

}  // namespace exec

namespace async {
using msgbus::every_options;
using msgbus::missed;
using msgbus::scheduled;
}  // namespace async

}  // namespace msgbus
