#pragma once

/// Functions that are called with a message that has failed or was given up.

#include <msgbus/context.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/routing/guard.hpp>
#include <msgbus/failure.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace msgbus::async::detail {

/// Read without locks under a guard of the component's domain; changed from any thread.
class message_hooks {
 public:
  /// `details` is null for an abandoned message. The function checks the type itself.
  using hook = std::function<void(value_ref message, const failure* details)>;

  message_hooks() = default;
  message_hooks(const message_hooks&) = delete;
  message_hooks& operator=(const message_hooks&) = delete;
  ~message_hooks();

  void add(const routing::domain& guarded, hook added);
  /// On a thread that is not inside a handler, none of them runs any more after this.
  void clear(const routing::domain& guarded) noexcept;

  /// Under a guard. The exception of a hook is printed as one line on stderr.
  void failed(value_ref message, const failures& failed, const msgbus::context& ctx) const noexcept;
  void abandoned(value_ref message) const noexcept;

 private:
  using hooks = std::vector<std::shared_ptr<const hook>>;

  void notify(value_ref message, const failure* details) const noexcept;

  std::mutex changing_;
  bool cleared_ = false;  // under the mutex: for good
  std::atomic<hooks*> current_{nullptr};
};

template <class E, class F>
[[nodiscard]] message_hooks::hook failed_hook(F f) {
  return [f = std::move(f)](value_ref message, const failure* details) mutable {
    if (details && is_type<E>(message.type)) f(*static_cast<const E*>(message.data), *details);
  };
}
template <class E, class F>
[[nodiscard]] message_hooks::hook abandoned_hook(F f) {
  return [f = std::move(f)](value_ref message, const failure* details) mutable {
    if (!details && is_type<E>(message.type)) f(*static_cast<const E*>(message.data));
  };
}

}  // namespace msgbus::async::detail
