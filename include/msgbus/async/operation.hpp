#pragma once

/// A handle for one operation of an async service, with its types.

#include <msgbus/detail/async/service_core.hpp>
#include <msgbus/error.hpp>
#include <msgbus/subscription.hpp>

namespace msgbus::async {

/// The type of `service::handler(...)`: `operation<R(Args...)>`.
template <class Signature>
class operation;

/// Called like the function that it wraps, without that function's `depends` and `context`
/// parameters, and awaited. Copies refer to the same operation. An operation may outlive its
/// service; calls then throw `closed` or `no_handler`. To keep one as a class member, name its
/// type: `async::operation<int(std::string)>`.
///
/// Thread-safe, also from inside handlers (D5).
template <class R, class... Args>
class operation<R(Args...)> {
 public:
  /// An empty operation: calls throw `no_handler`.
  operation() = default;
  /// Made by `service::handler`.
  operation(std::shared_ptr<detail::service_core> service, std::shared_ptr<routing::entry> entry,
            std::string name)
      : service_(std::move(service)), entry_(std::move(entry)), name_(std::move(name)) {}

  /// Executes the operation. Arguments are kept by value, except references to non-const.
  ///
  /// Completes: with the handler's result, when the handler has ended.
  /// Throws: `closed`; `no_handler` if the operation is empty or was cancelled; the exception of
  /// the handler, or one `dispatch_error` if clean-ups failed as well (I3).
  /// Cancellation: as `service::execute`.
  /// Executor: as `service::execute`.
  [[nodiscard]] asio::awaitable<R> operator()(Args... args) const {
    if (!entry_)
      throw error(errc::no_handler, "the operation is empty; assign it from service.handler(...)");
    auto asked = detail::make_command<R, detail::kept_argument<Args>...>(
        service_, name_, std::forward<Args>(args)...);
    asked->only = entry_;
    return detail::call_command<R>(std::move(asked));
  }

  /// For the library: makes a command from a received message, whose origin the handler's context
  /// then has. Arguments convert without loss (T5).
  template <class... Given>
  [[nodiscard]] detail::call_ptr<detail::command_for<R>> make_command(
      detail::shared_origin came_with, Given... args) const {
    if (!entry_)
      throw error(errc::no_handler, "the operation is empty; assign it from service.handler(...)");
    auto asked = detail::make_command<R, Given...>(service_, name_, std::move(args)...);
    asked->only = entry_;
    if (came_with) asked->comes_with(std::move(came_with));
    return asked;
  }

  /// For the library: the core of the service; null for an empty operation.
  [[nodiscard]] const std::shared_ptr<detail::service_core>& service() const noexcept {
    return service_;
  }

  /// The name of the operation; empty for an empty operation.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

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
  std::shared_ptr<detail::service_core> service_;
  std::shared_ptr<routing::entry> entry_;
  std::string name_;
};

}  // namespace msgbus::async
