#pragma once

/// A handle for one attached handler.

#include <msgbus/routing/entry.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus {

namespace detail {
/// Its namespace is where `until_cancelled` is found once <msgbus/async.hpp> is included.
struct in_async {};
}  // namespace detail

/// Copies refer to the same handler. Dropping it leaves the handler attached; it may outlive the
/// component. Default-constructed it is inactive. Different objects may be used from different
/// threads at once.
class subscription {
 public:
  subscription() = default;
  explicit subscription(std::shared_ptr<routing::entry> entry) noexcept
      : entry_(std::move(entry)) {}

  /// Takes the handler out (D4, D6). On a thread that is not inside a handler it returns when the
  /// cancelled handler runs on no thread and its captures are destroyed: what it points to may be
  /// freed. It waits only for dispatches of that handler's component. Called from inside any
  /// handler it does not wait: the handler is not started again, and its captures go when the
  /// last running call has returned. Called from the destructor of a handler's capture it waits for
  /// running calls, not for captures. Do not hold a lock that a handler of the component needs.
  void cancel() noexcept;

  /// Async: `co_await subscription.cancelled()`, with <msgbus/async.hpp>. Completes when the
  /// handler has been cancelled (it does not cancel it), every call of it that was suspended has
  /// ended, and its captures are destroyed. The caller resumes on its own executor, at once if all
  /// that is so already. Cancelling the wait leaves the handler as it is.
  template <class Waiting = subscription>
  [[nodiscard]] auto cancelled() const {
    return until_cancelled(detail::in_async(), static_cast<const Waiting&>(*this));
  }

  /// Whether the handler is attached: not cancelled, and its component not destroyed.
  [[nodiscard]] bool active() const noexcept { return entry_ && entry_->active(); }

  /// For the library: the handler's entry; null if there never was one.
  [[nodiscard]] const std::shared_ptr<routing::entry>& entry() const noexcept { return entry_; }

 private:
  std::shared_ptr<routing::entry> entry_;
};

/// Cancels in its destructor. Made from a `subscription`, or from what is one, implicitly.
class [[nodiscard]] scoped_subscription {
 public:
  scoped_subscription() = default;
  template <std::convertible_to<subscription> S>
    requires(!std::same_as<std::remove_cvref_t<S>, scoped_subscription>)
  scoped_subscription(S&& held) noexcept : held_(std::forward<S>(held)) {}
  scoped_subscription(scoped_subscription&& other) noexcept
      : held_(std::exchange(other.held_, {})) {}
  scoped_subscription& operator=(scoped_subscription&& other) noexcept {
    if (this != &other) {
      held_.cancel();
      held_ = std::exchange(other.held_, {});
    }
    return *this;
  }
  ~scoped_subscription() { held_.cancel(); }

  void cancel() noexcept { held_.cancel(); }
  [[nodiscard]] bool active() const noexcept { return held_.active(); }

  /// Gives the subscription up without cancelling it.
  [[nodiscard]] subscription release() noexcept { return std::exchange(held_, {}); }

 private:
  subscription held_;
};

}  // namespace msgbus
