#pragma once

/// A handle for one operation of a service, with its types.

#include <msgbus/async/detail/service_core.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/routing/subscription.hpp>

namespace msgbus::async {

template <class Signature>
class operation;

/// Called like the function it wraps, without that function's `depends` and `context` parameters,
/// and awaited. Copies refer to the same operation; it may outlive the service, and then throws
/// `closed` or `no_handler`. May be called from any thread, also from inside handlers (D5).
template <class R, class... Args>
class operation<R(Args...)> {
 public:
  operation() = default;
  operation(std::shared_ptr<detail::service_core> service, std::shared_ptr<routing::entry> entry,
            std::string name)
      : service_(std::move(service)), entry_(std::move(entry)), name_(std::move(name)) {}

  /// Completes with the handler's result when that has ended. Arguments are kept by value, except
  /// references to what the operation may change. What the handler throws leaves as it was thrown;
  /// a failure with failing clean-ups as one `dispatch_error` (I3). Runs, resumes and is cancelled
  /// as `service::execute`.
  [[nodiscard]] asio::awaitable<R> operator()(Args... args) const {
    if (!entry_) throw error(errc::no_handler, "an operation object that was given no operation");
    auto asked = detail::make_command<R, detail::kept_argument<Args>...>(
        service_, name_, std::forward<Args>(args)...);
    asked->only = entry_;
    return detail::call_command<R>(std::move(asked));
  }

  /// A command that came from elsewhere, with this: the handler's context tells of it. Arguments
  /// are kept as they are given, and convert without loss (T5).
  template <class... Given>
  [[nodiscard]] detail::call_ptr<detail::command_for<R>> make_command(
      detail::shared_origin came_with, Given... args) const {
    if (!entry_) throw error(errc::no_handler, "an operation object that was given no operation");
    auto asked = detail::make_command<R, Given...>(service_, name_, std::move(args)...);
    asked->only = entry_;
    if (came_with) asked->comes_with(std::move(came_with));
    return asked;
  }

  /// Where it runs; null if it was given no operation.
  [[nodiscard]] const std::shared_ptr<detail::service_core>& service() const noexcept {
    return service_;
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// See `subscription::cancel`; the name is free again.
  void cancel() noexcept { subscription().cancel(); }
  [[nodiscard]] bool active() const noexcept { return entry_ && entry_->active(); }

  /// The same operation as a subscription, which knows no types.
  [[nodiscard]] msgbus::subscription subscription() const noexcept {
    return msgbus::subscription(entry_);
  }
  operator msgbus::subscription() const noexcept { return subscription(); }

 private:
  std::shared_ptr<detail::service_core> service_;
  std::shared_ptr<routing::entry> entry_;
  std::string name_;
};

}  // namespace msgbus::async
