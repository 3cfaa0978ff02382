#pragma once

/// The message from another process that this thread handles. Messages that are sent meanwhile have
/// it as their cause, over any number of hops inside this process.

#include <msgbus/context.hpp>

#include <memory>

namespace msgbus::detail {

/// The origin of a message, shared with all messages that it causes; null for a message of this
/// process.
using shared_origin = std::shared_ptr<const origin>;

extern constinit thread_local const shared_origin* cause_of_this_thread;

/// The origin of the message that the calling thread handles; null if there is none. Valid until
/// the handler returns or suspends.
[[nodiscard]] inline const shared_origin* current_cause() noexcept {
  const shared_origin* const now = cause_of_this_thread;
  return now && *now ? now : nullptr;
}
[[nodiscard]] inline const origin* current_origin() noexcept {
  const shared_origin* const now = current_cause();
  return now ? now->get() : nullptr;
}

/// Sets the origin for the calling thread during its lifetime; null: none. It does not span a
/// suspension: executors that resume handlers set it again.
class cause_scope {
 public:
  explicit cause_scope(const shared_origin* now) noexcept : before_(cause_of_this_thread) {
    cause_of_this_thread = now;
  }
  ~cause_scope() { cause_of_this_thread = before_; }
  cause_scope(const cause_scope&) = delete;
  cause_scope& operator=(const cause_scope&) = delete;

 private:
  const shared_origin* const before_;
};

}  // namespace msgbus::detail
