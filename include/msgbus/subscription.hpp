#pragma once

/// A handle for one attached handler.

#include <msgbus/detail/routing/entry.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus {

namespace detail {
/// Its namespace makes `until_cancelled` visible once <msgbus/async.hpp> is included.
struct in_async {};
}  // namespace detail

/// Copies refer to the same handler. Destroying a subscription leaves the handler attached. It may
/// outlive its component. A default-constructed one is inactive. Different objects may be used from
/// different threads at the same time.
class subscription {
 public:
  /// An inactive subscription.
  subscription() = default;

  /// Made by the components.
  explicit subscription(std::shared_ptr<routing::entry> entry) noexcept
      : entry_(std::move(entry)) {}

  /// Detaches the handler (D4, D6).
  ///
  /// - On a thread that is not inside a handler, the call returns when the handler runs on no
  ///   thread and its captures are destroyed: objects that it refers to may be freed. The call
  ///   waits only for dispatches of the handler's component. Do not hold a lock that a handler of
  ///   the component needs.
  /// - Inside any handler, the call does not wait. The handler does not start again, and its
  ///   captures are destroyed when its last running call has returned.
  /// - Inside the destructor of a handler's capture, the call waits for running calls, but not for
  ///   captures.
  void cancel() noexcept;

  /// For the async family, with <msgbus/async.hpp>: waits for a cancelled handler. Does not cancel
  /// it.
  ///
  /// Completes: when the handler was cancelled, every suspended call of it has ended, and its
  /// captures are destroyed.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: ends the wait with Asio's `operation_aborted`; the handler stays as it is.
  /// Executor: the caller's, without suspending if there is nothing to wait for.
  template <class Waiting = subscription>
  [[nodiscard]] auto cancelled() const {
    return until_cancelled(detail::in_async(), static_cast<const Waiting&>(*this));
  }

  /// Whether the handler is attached: it was not cancelled, and its component exists.
  [[nodiscard]] bool active() const noexcept { return entry_ && entry_->active(); }

  /// For the library: the entry of the handler, or null.
  [[nodiscard]] const std::shared_ptr<routing::entry>& entry() const noexcept { return entry_; }

 private:
  std::shared_ptr<routing::entry> entry_;
};

/// Cancels its subscription in the destructor. Converts implicitly from `subscription` and
/// operations.
class [[nodiscard]] scoped_subscription {
 public:
  /// Holds no subscription.
  scoped_subscription() = default;

  /// Takes over a subscription.
  template <std::convertible_to<subscription> S>
    requires(!std::same_as<std::remove_cvref_t<S>, scoped_subscription>)
  scoped_subscription(S&& held) noexcept : held_(std::forward<S>(held)) {}

  /// Leaves `other` empty.
  scoped_subscription(scoped_subscription&& other) noexcept
      : held_(std::exchange(other.held_, {})) {}

  /// Cancels the previous subscription.
  scoped_subscription& operator=(scoped_subscription&& other) noexcept {
    if (this != &other) {
      held_.cancel();
      held_ = std::exchange(other.held_, {});
    }
    return *this;
  }
  ~scoped_subscription() { held_.cancel(); }

  /// See `subscription::cancel`.
  void cancel() noexcept { held_.cancel(); }

  /// See `subscription::active`.
  [[nodiscard]] bool active() const noexcept { return held_.active(); }

  /// Returns the subscription, which is then not cancelled by this object.
  [[nodiscard]] subscription release() noexcept { return std::exchange(held_, {}); }

 private:
  subscription held_;
};

}  // namespace msgbus
