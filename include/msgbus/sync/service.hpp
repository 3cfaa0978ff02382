#pragma once

/// Carries out named commands, each by one handler.

#include <msgbus/component/base.hpp>
#include <msgbus/component/naming.hpp>
#include <msgbus/sync/operation.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace msgbus::sync {

/// `shop::train_model` -> `train-model`: what `handler<f>()` calls an operation by default.
using component::kebab_case;

/// Owns operations. Every member function may be called from any thread, also from inside
/// handlers (D5, D7). Destroying it cancels every operation.
class service : public component::base<detail::service_core> {
 public:
  /// From a function's name, as the compiler qualifies it, to an operation's.
  using naming = std::function<std::string(std::string_view function)>;

  service() : service(std::shared_ptr<provider>()) {}
  explicit service(std::shared_ptr<provider> overrides, naming name = kebab_case)
      : base(detail::service_core::make(std::move(overrides))), naming_(std::move(name)) {}
  explicit service(naming name) : service(nullptr, std::move(name)) {}

  /// Adds an operation, and returns it as something to call. The handler's `depends<...>` and
  /// `const context&` parameters are filled in; the others are the operation's. Throws
  /// `duplicate_handler` if the name is taken.
  template <class F>
  auto handler(std::string name, F f) {
    using found = detail::signature_of<F>;
    static_assert(!std::is_member_function_pointer_v<F>,
                  "msgbus: a member function needs its object: give both, `&type::member, object`");
    static_assert(!std::is_same_v<found, detail::no_signature>,
                  "msgbus: the parameters of a generic or overloaded handler cannot be deduced; "
                  "wrap it in a lambda that names them");
    using parts = component::operation_parts<found>;
    return attach<F, parts>(std::move(name), std::move(f), typename parts::inputs{});
  }

  /// Adds a member function of an object, which must outlive the operation, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  auto handler(std::string name, Member member, Object&& object) {
    return handler(std::move(name), detail::bind_member(member, std::forward<Object>(object)));
  }

  /// Adds a function under the name that the naming function makes of its own.
  template <const auto& Function>
  auto handler() {
    return handler(naming_(detail::entity_name<Function>()),
                   std::decay_t<decltype(Function)>(Function));
  }

  /// Runs the operation on this thread and returns its result; with `R = void` the result is
  /// discarded. Arguments and result match exactly or convert without loss (T5). Throws
  /// `no_handler` (D3), `bad_arguments`, `type_mismatch` for the result, and what the handler
  /// throws.
  template <class R = void, class... Args>
  R execute(std::string_view name, Args&&... args) {
    di::result_of<R> result;
    const std::array<component::argument, sizeof...(Args)> erased{
        component::argument::of<Args>(args)...};
    core_->execute(name, erased, component::result_ref::to(result));
    return result.take();
  }

  /// The names of the operations, sorted.
  [[nodiscard]] std::vector<std::string> operations() const { return core_->names(); }

 private:
  template <class F, class Parts, class... Inputs>
  auto attach(std::string name, F f, detail::type_list<Inputs...>) {
    using R = typename Parts::result;
    const std::string_view checked = name;
    std::shared_ptr<detail::typed_operation<R, Inputs...>> added =
        core_->attach(checked, [&](std::uint64_t order) {
          return std::make_shared<detail::operation_handler<F, Parts>>(order, std::move(name),
                                                                       *core_, std::move(f));
        });
    return operation<R(Inputs...)>(std::move(added));
  }

  naming naming_;
};

}  // namespace msgbus::sync
