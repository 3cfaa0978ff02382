#pragma once

/// A handle for one operation of a service, with its types.

#include <msgbus/routing/subscription.hpp>
#include <msgbus/sync/detail/operation_handler.hpp>

namespace msgbus::sync {

template <class Signature>
class operation;

/// Called like the function it wraps, without that function's `depends` and `context` parameters.
/// Copies refer to the same operation; it may outlive the service, and then throws `no_handler`, as
/// one does that was default-constructed. May be called from any thread, also from inside handlers;
/// takes no lock (D5, D7).
template <class R, class... Args>
class operation<R(Args...)> {
 public:
  operation() = default;
  explicit operation(std::shared_ptr<detail::typed_operation<R, Args...>> entry) noexcept
      : entry_(std::move(entry)), guarded_(&entry_->core.guarded()) {}

  /// Runs the handler on this thread. What it throws leaves as it was thrown; a failure with
  /// failing clean-ups as one `dispatch_error` (I3).
  R operator()(Args... args) const {
    if (!entry_) [[unlikely]]
      detail::throw_detached(nullptr);
    // The address is only compared; the service that it belonged to may be gone by now.
    const snapshot::guard guard(*guarded_);
    if (!entry_->active()) [[unlikely]]
      detail::throw_detached(entry_.get());
    return entry_->call(std::forward<Args>(args)...);
  }

  [[nodiscard]] std::string name() const { return entry_ ? entry_->name : std::string(); }

  /// See `subscription::cancel`; the name is free again.
  void cancel() noexcept { subscription().cancel(); }
  [[nodiscard]] bool active() const noexcept { return entry_ && entry_->active(); }

  /// The same operation as a subscription, which knows no types.
  [[nodiscard]] msgbus::subscription subscription() const noexcept {
    return msgbus::subscription(entry_);
  }
  operator msgbus::subscription() const noexcept { return subscription(); }

 private:
  std::shared_ptr<detail::typed_operation<R, Args...>> entry_;
  const snapshot::domain* guarded_ = nullptr;
};

}  // namespace msgbus::sync
