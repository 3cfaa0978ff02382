#pragma once

/// The sync service: carries out named commands, each by one handler.

#include <msgbus/detail/component/base.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/sync/guarded.hpp>
#include <msgbus/sync/operation.hpp>
#include <msgbus/sync/policy.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace msgbus::sync {

/// The default naming: `shop::train_model` becomes `train-model`.
using component::kebab_case;

/// Owns operations. The destructor cancels them.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers (D5,
/// D7).
class service : public component::base<detail::service_core> {
 public:
  /// Makes the name of an operation from the qualified name of its function.
  using naming = std::function<std::string(std::string_view function)>;

  /// A service with overrides of its own.
  service() : service(std::shared_ptr<provider>()) {}
  /// Shares overrides with other components. `name` is used by `handler<f>()`.
  explicit service(std::shared_ptr<provider> overrides, naming name = kebab_case)
      : base(detail::service_core::make(std::move(overrides))), naming_(std::move(name)) {}
  /// A service with overrides and a naming function of its own.
  explicit service(naming name) : service(nullptr, std::move(name)) {}

  /// Adds an operation, and returns it as an object to call. The handler's `depends<...>` and
  /// `const context&` parameters are injected; the others are the arguments of the operation.
  ///
  /// Throws: `duplicate_handler` if the service has an operation of that name; `bad_arguments` if
  /// the name or the handler is empty.
  template <class F>
  auto handler(std::string name, F f, registered_at line = std::source_location::current()) {
    using types = types_of<F>;
    return attach<F, types, detail::unguarded>(std::move(name), std::move(f), {}, line,
                                               typename types::inputs{});
  }

  /// As above, with a policy. In each attempt, the handler gets a copy of every argument that it
  /// takes by value.
  ///
  /// Throws: `unsupported` if the policy has retries and such an argument cannot be copied, or if
  /// it has `deduplicate` or `dead_letters`; `bad_arguments` for a value that means nothing.
  template <class F>
  auto handler(std::string name, F f, const policy& handler_policy,
               registered_at line = std::source_location::current()) {
    using types = types_of<F>;
    return attach_guarded<F, types>(std::move(name), std::move(f), handler_policy, line,
                                    typename types::inputs{});
  }

  /// Adds a member function together with its object, or with a pointer to it. The object must
  /// outlive the operation.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  auto handler(std::string name, Member member, Object&& object,
               registered_at line = std::source_location::current()) {
    return handler(std::move(name), detail::bind_member(member, std::forward<Object>(object)),
                   line);
  }

  /// As above, with a policy.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  auto handler(std::string name, Member member, Object&& object, const policy& handler_policy,
               registered_at line = std::source_location::current()) {
    return handler(std::move(name), detail::bind_member(member, std::forward<Object>(object)),
                   handler_policy, line);
  }

  /// Adds a function under a name that the naming function makes from the function's own name.
  template <const auto& Function>
  auto handler(registered_at line = std::source_location::current()) {
    return handler(naming_(detail::entity_name<Function>()),
                   std::decay_t<decltype(Function)>(Function), line);
  }

  /// As above, with a policy.
  template <const auto& Function>
  auto handler(const policy& handler_policy, registered_at line = std::source_location::current()) {
    return handler(naming_(detail::entity_name<Function>()),
                   std::decay_t<decltype(Function)>(Function), handler_policy, line);
  }

  /// Executes the operation `name` on this thread and returns its result; with `R = void` the
  /// result is discarded. Arguments and result have the exact types, or convert without loss (T5).
  ///
  /// Throws: `no_handler` (D3); `bad_arguments`; `type_mismatch` for the result; the exception of
  /// the handler; `circuit_open` and `rate_limited` of its policy.
  template <class R = void, class... Args>
  R execute(std::string_view name, Args&&... args) {
    component::result_of<R> result;
    const std::array<component::argument, sizeof...(Args)> erased{
        component::argument::of<Args>(args)...};
    core_->execute(name, erased, component::result_ref::to(result));
    return result.take();
  }

  /// The names of the operations, sorted.
  [[nodiscard]] std::vector<std::string> operations() const { return core_->names(); }

 private:
  template <class F>
  using found_in = detail::signature_of<F>;

  template <class F>
  struct checked_types {
    static_assert(!std::is_member_function_pointer_v<F>,
                  "msgbus: a member function needs its object: give both, `&type::member, object`");
    static_assert(!std::is_same_v<found_in<F>, detail::no_signature>,
                  "msgbus: the parameters of a generic or overloaded handler cannot be deduced; "
                  "wrap it in a lambda that names them");
    using type = component::operation_signature<found_in<F>>;
  };
  template <class F>
  using types_of = typename checked_types<F>::type;

  template <class F, class Parts, class Guard, class... Inputs>
  auto attach(std::string name, F f, Guard guard, const registered_at& line,
              detail::type_list<Inputs...>) {
    using R = typename Parts::result;
    const std::string_view checked = name;
    std::shared_ptr<detail::typed_operation<R, Inputs...>> added =
        core_->attach(checked, [&](std::uint64_t order) {
          return std::make_shared<detail::operation_handler<F, Parts, Guard>>(
              order, std::move(name), line, *core_, std::move(f), std::move(guard));
        });
    return operation<R(Inputs...)>(std::move(added));
  }

  template <class F, class Parts, class... Inputs>
  auto attach_guarded(std::string name, F f, const policy& handler_policy,
                      const registered_at& line, detail::type_list<Inputs...> inputs) {
    using guard = detail::operation_guard;
    detail::check_repeatable(handler_policy, guard::has_copies<Inputs...>, name);
    return attach<F, Parts>(std::move(name), std::move(f),
                            guard(detail::make_guards(handler_policy, {}, false)), line, inputs);
  }

  naming naming_;
};

}  // namespace msgbus::sync
