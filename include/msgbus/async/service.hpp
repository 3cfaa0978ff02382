#pragma once

/// Carries out named commands, each by one handler, which may be a coroutine.

#include <msgbus/async/detail/base.hpp>
#include <msgbus/async/detail/operation_handler.hpp>
#include <msgbus/async/operation.hpp>
#include <msgbus/component/naming.hpp>
#include <msgbus/exec/cancelled.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::async {

using msgbus::component::kebab_case;

/// Owns operations, and a mailbox for commands that nobody waits for. Every member function may be
/// called from any thread, also from inside handlers (D5, D7). Destroying it cancels every
/// operation; one that is suspended then runs to its end.
class service : public detail::base<detail::service_core> {
 public:
  /// From a function's name, as the compiler qualifies it, to an operation's.
  using naming = std::function<std::string(std::string_view function)>;

  explicit service(asio::any_io_executor executor, mailbox_options options = {},
                   std::shared_ptr<provider> overrides = nullptr, naming name = kebab_case)
      : base(detail::service_core::make(executor, options, std::move(overrides))),
        naming_(std::move(name)) {}
  /// Shares overrides with other components.
  service(asio::any_io_executor executor, std::shared_ptr<provider> overrides,
          naming name = kebab_case)
      : service(std::move(executor), mailbox_options{}, std::move(overrides), std::move(name)) {}

  /// Adds an operation, plain or returning `asio::awaitable<T>`, and returns it as something to
  /// call and await. The handler's `depends<...>` and `const context&` parameters are filled in;
  /// the others are the operation's. A policy with retries copies the arguments for each attempt.
  /// Throws `duplicate_handler` if the name is taken.
  template <class F>
  auto handler(std::string name, F f, policy how = {}) {
    using found = detail::signature_of<F>;
    static_assert(!std::is_member_function_pointer_v<F>,
                  "msgbus: a member function needs its object: give both, `&type::member, object`");
    static_assert(!std::is_same_v<found, detail::no_signature>,
                  "msgbus: the parameters of a generic or overloaded handler cannot be deduced; "
                  "wrap it in a lambda that names them");
    using parts = msgbus::component::operation_parts<found>;
    return attach<F, parts>(std::move(name), std::move(f), std::move(how),
                            typename parts::inputs{});
  }

  /// Adds a member function of an object, which must outlive the operation, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  auto handler(std::string name, Member member, Object&& object, policy how = {}) {
    return handler(std::move(name), detail::bind_member(member, std::forward<Object>(object)),
                   std::move(how));
  }

  /// Adds a function under the name that the naming function makes of its own.
  template <const auto& Function>
  auto handler(policy how = {}) {
    return handler(naming_(detail::entity_name<Function>()),
                   std::decay_t<decltype(Function)>(Function), std::move(how));
  }

  /// Completes with the operation's result when its handler has ended (A1); with `R = void` the
  /// result is discarded. Arguments are taken by value; they and the result match exactly or
  /// convert without loss (T5). Throws `no_handler` (D3), `bad_arguments`, `type_mismatch` for the
  /// result, `closed`, and what the handler throws. The handler runs on the service's executor
  /// (A2), in the caller's coroutine where the caller runs there; the caller resumes on its own, at
  /// once if the handler does not suspend. Cancelling it cancels the handler and waits for it (A9).
  template <class R = void, class... Args>
  [[nodiscard]] asio::awaitable<R> execute(std::string name, Args&&... args) {
    auto asked = detail::make_command<R, std::decay_t<Args>...>(core_, std::move(name),
                                                                std::forward<Args>(args)...);
    return detail::call_command<R>(std::move(asked));
  }

  /// Puts the command into the mailbox and completes when that has taken or refused it, as
  /// `consumer::send`. The result is discarded; what goes wrong, a missing operation included, goes
  /// to the observer and the counters (A8).
  template <class... Args>
  [[nodiscard]] asio::awaitable<receipt> send(std::string name, Args&&... args) {
    return detail::send_command(ask(std::move(name), std::forward<Args>(args)...));
  }
  /// The same without waiting, and not only for coroutines.
  template <class... Args>
  receipt post(std::string name, Args&&... args) {
    return detail::post_command(ask(std::move(name), std::forward<Args>(args)...));
  }

  /// The same for a thread that is no coroutine, as `consumer::send_blocking`.
  template <class... Args>
  receipt send_blocking(std::string name, Args&&... args) {
    return send_blocking(forever, std::move(name), std::forward<Args>(args)...);
  }
  template <class... Args>
  receipt send_blocking(std::chrono::steady_clock::duration timeout, std::string name,
                        Args&&... args) {
    return detail::send_blocking_command(ask(std::move(name), std::forward<Args>(args)...),
                                         timeout);
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
  auto attach(std::string name, F f, policy how, detail::type_list<Inputs...>) {
    using R = typename detail::result_given<typename Parts::result>::type;
    std::string called = name;
    std::shared_ptr<routing::entry> added =
        core_->attach(std::string_view(called), [&](std::uint64_t order) {
          return std::make_shared<detail::operation_handler<F, Parts>>(
              order, std::move(name), std::move(f), std::move(how));
        });
    return operation<R(Inputs...)>(core_, std::move(added), std::move(called));
  }

  naming naming_;
};

}  // namespace msgbus::async
