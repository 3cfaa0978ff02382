#pragma once

/// The handle of a scheduled message, and the options of recurring ones.

#include <msgbus/detail/exec/due_queue.hpp>

#include <iosfwd>
#include <memory>
#include <utility>

namespace msgbus {

/// The options of `every`.
struct every_options {
  msgbus::missed missed = msgbus::missed::skip;  ///< the treatment of late occurrences
};
std::ostream& operator<<(std::ostream& out, const every_options& value);

namespace exec {

/// The scheduled message behind a handle. Thread-safe.
class schedule_target {
 public:
  virtual bool cancel(const due_key& key) noexcept = 0;
  [[nodiscard]] virtual bool is_scheduled(const due_key& key) const noexcept = 0;

 protected:
  ~schedule_target() = default;
};

struct scheduled_access;

}  // namespace exec

/// The handle of a message or a schedule of `send_after`, `send_at` or `every`. Destroying it
/// cancels nothing. Copies refer to the same message. It may outlive the component and its context.
/// Every function may be called from any thread, also from inside handlers.
class scheduled {
 public:
  /// An empty handle: `done()` is true.
  scheduled() = default;

  /// Cancels the message. Returns true if that was in time: the message will never be sent (P6),
  /// and `every` makes no further one. Returns false if the message was due, cancelled or abandoned
  /// before.
  bool cancel() noexcept { return in_ && in_->cancel(key_); }

  /// Whether nothing is scheduled any more: the message was due, cancelled, refused by a closed
  /// component, or abandoned.
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
