#pragma once

/// Which message from elsewhere is being handled here and now. Whoever handles one says so, and
/// what is sent meanwhile is known to have been caused by it, on however many hops in this process.

#include <msgbus/core/context.hpp>

#include <memory>

namespace msgbus::detail {

/// What came with a message, shared with all that it leads to; null for one made here.
using shared_origin = std::shared_ptr<const origin>;

extern constinit thread_local const shared_origin* cause_of_this_thread;

/// What the calling thread is handling; null if nothing that came from elsewhere. Good until the
/// handler returns or suspends.
[[nodiscard]] inline const shared_origin* current_cause() noexcept {
  const shared_origin* const now = cause_of_this_thread;
  return now && *now ? now : nullptr;
}
[[nodiscard]] inline const origin* current_origin() noexcept {
  const shared_origin* const now = current_cause();
  return now ? now->get() : nullptr;
}

/// While it lives, the calling thread handles this; null: something of which nothing is known.
/// Never held over a suspension: executors that resume handlers say it anew.
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
