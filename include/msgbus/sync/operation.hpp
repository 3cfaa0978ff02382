#pragma once

/// A handle for one operation of a service, with its types.

#include <msgbus/routing/subscription.hpp>
#include <msgbus/sync/detail/operation_handler.hpp>

namespace msgbus::sync {

template <class Signature>
class operation;

/// Called like the function it wraps, without that function's `depends` and `context` parameters.
/// Copies refer to the same operation; it may outlive the service, and then throws `no_handler`.
/// May be called from any thread, also from inside handlers; takes no lock (D5, D7).
template <class R, class... Args>
class operation<R(Args...)> {
 public:
  explicit operation(std::shared_ptr<detail::typed_operation<R, Args...>> entry) noexcept
      : entry_(std::move(entry)), guarded_(&entry_->core.guarded()) {}

  /// Runs the handler on this thread. What it throws leaves as it was thrown; a failure with
  /// failing clean-ups as one `dispatch_error` (I3).
  R operator()(Args... args) const {
    // The address is only compared; the service that it belonged to may be gone by now.
    const snapshot::guard guard(*guarded_);
    if (!entry_->active()) [[unlikely]]
      detail::throw_detached(*entry_);
    return entry_->call(std::forward<Args>(args)...);
  }

  [[nodiscard]] const std::string& name() const noexcept { return entry_->name; }

  /// See `subscription::cancel`; the name is free again.
  void cancel() noexcept { msgbus::subscription(entry_).cancel(); }
  [[nodiscard]] bool active() const noexcept { return entry_->active(); }

  /// The same operation as a subscription: for a `scoped_subscription`, or for a list of them.
  [[nodiscard]] msgbus::subscription subscription() const noexcept {
    return msgbus::subscription(entry_);
  }

 private:
  std::shared_ptr<detail::typed_operation<R, Args...>> entry_;
  const snapshot::domain* guarded_;
};

}  // namespace msgbus::sync
