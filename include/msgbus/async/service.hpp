#pragma once

/// The async service: carries out named commands. Each has one handler, which may be a coroutine.

#include <msgbus/async/operation.hpp>
#include <msgbus/detail/async/base.hpp>
#include <msgbus/detail/async/operation_handler.hpp>
#include <msgbus/detail/async/scheduled_commands.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::async {

/// The default naming: `shop::train_model` becomes `train-model`.
using msgbus::component::kebab_case;

/// Owns operations, and a mailbox for the commands of `send` and `post`.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers (D5,
/// D7). The destructor cancels every operation; a handler that is suspended then runs to its end.
class service : public detail::base<detail::service_core> {
 public:
  /// Makes the name of an operation from the qualified name of its function.
  using naming = std::function<std::string(std::string_view function)>;

  /// `executor` runs the handlers. `options` describe the mailbox. `overrides` may be shared with
  /// other components; with null the service has its own. `name` is used by `handler<f>()`.
  explicit service(asio::any_io_executor executor, mailbox_options options = {},
                   std::shared_ptr<provider> overrides = nullptr, naming name = kebab_case)
      : base(detail::service_core::make(executor, options, std::move(overrides))),
        naming_(std::move(name)) {}

  /// Shares overrides with other components, and has a mailbox with default options.
  service(asio::any_io_executor executor, std::shared_ptr<provider> overrides,
          naming name = kebab_case)
      : service(std::move(executor), mailbox_options{}, std::move(overrides), std::move(name)) {}
  /// As above, on the executor of a context, such as an `asio::io_context` or `asio::thread_pool`.
  template <exec::execution_context Context>
  explicit service(Context& context, mailbox_options options = {},
                   std::shared_ptr<provider> overrides = nullptr, naming name = kebab_case)
      : service(asio::any_io_executor(context.get_executor()), options, std::move(overrides),
                std::move(name)) {}
  template <exec::execution_context Context>
  service(Context& context, std::shared_ptr<provider> overrides, naming name = kebab_case)
      : service(context, mailbox_options{}, std::move(overrides), std::move(name)) {}

  /// Adds an operation, and returns it as an object to call and await. The handler is a plain
  /// function, or a coroutine that returns `asio::awaitable<T>`. Its `depends<...>` and `const
  /// context&` parameters are injected; the others are the arguments of the operation. A policy
  /// with retries copies the arguments for each attempt.
  ///
  /// Throws: `duplicate_handler` if the service has an operation of that name; `bad_arguments` if
  /// the name or the handler is empty; `unsupported` for a policy with `dead_letters` or
  /// `deduplicate`.
  template <class F>
  auto handler(std::string name, F f, policy handler_policy = {},
               registered_at line = std::source_location::current()) {
    using found = detail::signature_of<F>;
    static_assert(!std::is_member_function_pointer_v<F>,
                  "msgbus: a member function needs its object: give both, `&type::member, object`");
    static_assert(!std::is_same_v<found, detail::no_signature>,
                  "msgbus: the parameters of a generic or overloaded handler cannot be deduced; "
                  "wrap it in a lambda that names them");
    using types = msgbus::component::operation_signature<found>;
    return attach<F, types>(std::move(name), std::move(f), std::move(handler_policy), line,
                            typename types::inputs{});
  }

  /// Adds a member function together with its object, or with a pointer to it. The object must
  /// outlive the operation.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  auto handler(std::string name, Member member, Object&& object, policy handler_policy = {},
               registered_at line = std::source_location::current()) {
    return handler(std::move(name), detail::bind_member(member, std::forward<Object>(object)),
                   std::move(handler_policy), line);
  }

  /// Adds a function under a name that the naming function makes from the function's own name.
  template <const auto& Function>
  auto handler(policy handler_policy = {}, registered_at line = std::source_location::current()) {
    return handler(naming_(detail::entity_name<Function>()),
                   std::decay_t<decltype(Function)>(Function), std::move(handler_policy), line);
  }

  /// Executes the operation `name` and returns its result; with `R = void` the result is discarded.
  /// Arguments are passed by value. Arguments and result have the exact types, or convert without
  /// loss (T5). The command does not pass through the mailbox.
  ///
  /// Completes: when the handler has ended (A1).
  /// Throws: `no_handler` (D3); `bad_arguments`; `type_mismatch` for the result; `closed`; the
  /// exception of the handler.
  /// Cancellation: cancels the handler and waits for its end (A9).
  /// Executor: the handler runs on the service's (A2). The caller resumes on its own, without
  /// suspending if both are the same and the handler does not suspend.
  template <class R = void, class... Args>
  [[nodiscard]] asio::awaitable<R> execute(std::string name, Args&&... args) {
    auto asked = detail::make_command<R, std::decay_t<Args>...>(core_, std::move(name),
                                                                std::forward<Args>(args)...);
    return detail::call_command<R>(std::move(asked));
  }

  /// Puts the command into the mailbox, as `consumer::send`. The result is discarded. A failure,
  /// such as a missing operation, goes to the observer and the counters (A8).
  ///
  /// Completes: when the mailbox has accepted or refused the command.
  /// Throws: `would_deadlock` as `consumer::send`.
  /// Cancellation: throws Asio's `operation_aborted`; the command was not sent (A9).
  /// Executor: the caller's.
  template <class... Args>
  [[nodiscard]] asio::awaitable<receipt> send(std::string name, Args&&... args) {
    return detail::send_command(ask(std::move(name), std::forward<Args>(args)...));
  }

  /// As `send`, but never waits, and may be called outside of coroutines. Where `send` would wait,
  /// the command is rejected.
  template <class... Args>
  receipt post(std::string name, Args&&... args) {
    return detail::post_command(ask(std::move(name), std::forward<Args>(args)...));
  }

  /// As `consumer::send_blocking`: `send` for a thread that runs no coroutine, without a time
  /// limit.
  template <class... Args>
  receipt send_blocking(std::string name, Args&&... args) {
    return send_blocking(forever, std::move(name), std::forward<Args>(args)...);
  }

  /// As above, with a time limit.
  template <class... Args>
  receipt send_blocking(std::chrono::steady_clock::duration timeout, std::string name,
                        Args&&... args) {
    return detail::send_blocking_command(ask(std::move(name), std::forward<Args>(args)...),
                                         timeout);
  }

  /// Sends the command later, as `consumer::send_after`.
  template <class... Args>
  scheduled send_after(std::chrono::steady_clock::duration after, std::string name,
                       Args&&... args) {
    return detail::schedule_after(
        *core_, after,
        detail::scheduled_command(ask(std::move(name), std::forward<Args>(args)...)));
  }

  /// As `send_after`, at a time of the clock of the executor's context.
  template <class... Args>
  scheduled send_at(std::chrono::steady_clock::time_point at, std::string name, Args&&... args) {
    return detail::schedule_at(
        *core_, at, detail::scheduled_command(ask(std::move(name), std::forward<Args>(args)...)));
  }

  /// Sends the command without arguments again and again, as `consumer::every`.
  ///
  /// Throws: `bad_arguments` if the period is not above zero.
  scheduled every(std::chrono::steady_clock::duration period, std::string name,
                  every_options options = {}) {
    return every(period, std::move(name), [] { return std::tuple<>(); }, options);
  }

  /// As above, with arguments: `make()` returns the only one, or a `std::tuple` of all, each time.
  template <class F>
    requires std::is_invocable_v<F&>
  scheduled every(std::chrono::steady_clock::duration period, std::string name, F make,
                  every_options options = {}) {
    return detail::schedule_every(
        *core_, period, detail::command_maker(core_, std::move(name), std::move(make)), options);
  }

  /// The names of the operations, sorted.
  [[nodiscard]] std::vector<std::string> operations() const { return core_->names(); }

 private:
  template <class... Args>
  auto ask(std::string name, Args&&... args) {
    return detail::make_command<void, std::decay_t<Args>...>(core_, std::move(name),
                                                             std::forward<Args>(args)...);
  }

  template <class F, class Parts, class... Inputs>
  auto attach(std::string name, F f, policy handler_policy, const registered_at& line,
              detail::type_list<Inputs...>) {
    using R = typename detail::result_given<typename Parts::result>::type;
    std::string called = name;
    handler_policy = core_->policy_for_operation(std::move(handler_policy));
    std::shared_ptr<routing::entry> added =
        core_->attach(std::string_view(called), [&](std::uint64_t order) {
          return std::make_shared<detail::operation_handler<F, Parts>>(
              order, std::move(name), std::move(f), std::move(handler_policy), line);
        });
    return operation<R(Inputs...)>(core_, std::move(added), std::move(called));
  }

  naming naming_;
};

}  // namespace msgbus::async
