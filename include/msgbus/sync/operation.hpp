#pragma once

/// A handle for one operation of a sync service, with its types.

#include <msgbus/detail/sync/operation_handler.hpp>
#include <msgbus/subscription.hpp>

namespace msgbus::sync {

/// The type of `service::handler(...)`: `operation<R(Args...)>`.
template <class Signature>
class operation;

/// Called like the function that it wraps, without that function's `depends` and `context`
/// parameters. Copies refer to the same operation. An operation may outlive its service. To keep
/// one as a class member, name its type: `sync::operation<int(std::string)>`.
///
/// Thread-safe, also from inside handlers; takes no lock (D5, D7).
template <class R, class... Args>
class operation<R(Args...)> {
 public:
  /// An empty operation: calls throw `no_handler`.
  operation() = default;
  /// Made by `service::handler`.
  explicit operation(std::shared_ptr<detail::typed_operation<R, Args...>> entry) noexcept
      : entry_(std::move(entry)), guarded_(&entry_->core.guarded()) {}

  /// Runs the handler on this thread, and returns its result.
  ///
  /// Throws: `no_handler` if the operation is empty or was cancelled, or its service was destroyed;
  /// the exception of the handler, or one `dispatch_error` if clean-ups failed as well (I3).
  R operator()(Args... args) const {
    if (!entry_) [[unlikely]]
      detail::throw_detached(nullptr);
    // The address is only compared; its service may be destroyed by now.
    const routing::guard guard(*guarded_);
    if (!entry_->active()) [[unlikely]]
      detail::throw_detached(entry_.get());
    return entry_->call(std::forward<Args>(args)...);
  }

  /// The name of the operation; empty for an empty operation.
  [[nodiscard]] std::string name() const { return entry_ ? entry_->name : std::string(); }

  /// Removes the operation from its service; see `subscription::cancel`. The name is then free
  /// again.
  void cancel() noexcept { subscription().cancel(); }

  /// Whether the operation is attached to its service.
  [[nodiscard]] bool active() const noexcept { return entry_ && entry_->active(); }

  /// The same operation as an untyped subscription.
  [[nodiscard]] msgbus::subscription subscription() const noexcept {
    return msgbus::subscription(entry_);
  }

  /// As `subscription()`.
  operator msgbus::subscription() const noexcept { return subscription(); }

 private:
  std::shared_ptr<detail::typed_operation<R, Args...>> entry_;
  const routing::domain* guarded_ = nullptr;
};

}  // namespace msgbus::sync
