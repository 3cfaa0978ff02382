#pragma once

/// The overrides of dependencies. A component owns a provider, or shares one.

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/component/resolve.hpp>

#include <memory>
#include <utility>

namespace msgbus {

namespace component {

template <class Dependency, class Implementation>
class implementation_of final : public implementation {
  using value = value_of<Dependency>;
  using given = provided_by<Implementation>;

  static constexpr shape kind = form_of<Implementation>::kind;
  static constexpr bool gives_value = kind == shape::plain || kind == shape::awaited;
  static constexpr bool fits = std::is_reference_v<given>
                                   ? std::is_convertible_v<std::remove_reference_t<given>*, value*>
                                   : (std::is_convertible_v<std::remove_cvref_t<given>*, value*> ||
                                      (!std::is_reference_v<provided_by<Dependency>> &&
                                       gives_value && std::is_convertible_v<given, value>));
  static_assert(fits, "msgbus: an override gives another type than the dependency it replaces");
  // Other code must see the changes that a handler makes through the reference. If a function is
  // the default, a fake by value is good enough: the test that provides it looks at nothing else.
  static constexpr bool gives_copy =
      fits && !std::is_reference_v<given> &&
      form_of<std::remove_cvref_t<Dependency>>::kind == shape::required &&
      std::is_reference_v<provided_by<Dependency>> && !std::is_const_v<value>;
  static_assert(!gives_copy,
                "msgbus: an override gives a copy where the dependency gives a reference, and a "
                "handler would change the copy; let it return a reference (a lambda: -> T&), or "
                "take a yield<T&>");

 public:
  explicit implementation_of(Implementation replacement)
      : implementation(directly(), make_factory()), implementation_(std::move(replacement)) {}

  void provide(scope& in, const dependency_info& replaced, continuation rest) override {
    if constexpr (!fits) {
    } else if constexpr (is_async(kind)) {
      throw_async(replaced);
    } else {
      provide_from<value>(implementation_, in, replaced, rest);
    }
  }

  void* entity() noexcept override { return std::addressof(implementation_); }

 private:
  using stored = std::remove_const_t<value>;
  static constexpr bool is_direct =
      fits && kind == shape::plain &&
      (std::is_reference_v<given> ||
       (form_of<std::remove_cvref_t<Dependency>>::kind == shape::plain &&
        !std::is_reference_v<provided_by<Dependency>> &&
        std::is_same_v<kept_as<given, value>, stored>));

  static constexpr direct_call directly() {
    if constexpr (is_direct) {
      return {&get, infos_of<named_by_entity<Implementation>>};
    } else {
      return {};
    }
  }

  static void* get(implementation& self, resolved_values all, [[maybe_unused]] void* storage) {
    auto call = [&]() -> decltype(auto) {
      return call_plain(static_cast<implementation_of&>(self).implementation_, all,
                        typename form_of<Implementation>::needs{});
    };
    if constexpr (std::is_reference_v<given>) {
      value* const found = std::addressof(call());
      return erased(found);
    } else {
      auto converted = [&]() -> stored { return call(); };
      return ::new (storage) stored(converted());
    }
  }

  static component::factory make_factory() {
    if constexpr (fits) {
      return factory_of<Implementation, value>();
    } else {
      return {};
    }
  }

  Implementation implementation_;
};

}  // namespace component

/// Removes its override in the destructor. Not thread-safe.
class [[nodiscard]] override_guard {
 public:
  /// Made by `scoped_override`.
  override_guard(std::shared_ptr<component::provider_state> state, const void* identity,
                 std::uint64_t ticket) noexcept
      : state_(std::move(state)), identity_(identity), ticket_(ticket) {}
  override_guard(override_guard&&) noexcept = default;
  override_guard& operator=(override_guard&&) = delete;
  ~override_guard() {
    if (state_) state_->remove(identity_, ticket_);
  }

 private:
  std::shared_ptr<component::provider_state> state_;
  const void* identity_;
  std::uint64_t ticket_;
};

/// Holds overrides. An override applies to runs of handlers that start after it, and to
/// sub-dependencies (I4). An implementation has the forms of a dependency, and must give a
/// compatible type; the compiler checks that. Thread-safe.
class provider {
 public:
  /// A provider without overrides.
  provider();
  provider(const provider&) = delete;
  provider& operator=(const provider&) = delete;

  /// Overrides the dependency, and replaces its earlier `override`.
  template <class Dependency, class Implementation>
  void override(const Dependency& dependency, Implementation implementation,
                registered_at line = std::source_location::current()) {
    add(dependency, std::move(implementation), true, line);
  }

  /// Removes every override of the dependency. On a thread that is not inside a handler, the call
  /// returns when no handler uses their values.
  template <class Dependency>
  void restore(const Dependency& dependency) {
    state_->remove(component::identity_of(dependency));
  }

  /// Overrides the dependency until the guard is destroyed; then the previous state is back. Like
  /// `restore`, the destructor of the guard waits for handlers that use the value.
  template <class Dependency, class Implementation>
  [[nodiscard]] override_guard scoped_override(
      const Dependency& dependency, Implementation implementation,
      registered_at line = std::source_location::current()) {
    const auto ticket = add(dependency, std::move(implementation), false, line);
    return {state_, component::identity_of(dependency), ticket};
  }

  /// For the components that resolve with it.
  [[nodiscard]] const component::provider_state& state() const noexcept { return *state_; }

 private:
  template <class Dependency, class Implementation>
  std::uint64_t add(const Dependency& dependency, Implementation implementation, bool lasting,
                    const registered_at& line) {
    static_assert(!std::is_pointer_v<Dependency>,
                  "msgbus: name the dependency itself, not its address");
    const char* name = nullptr;
    if constexpr (component::is_required<Dependency>) name = dependency.name;
    return state_->add(component::identity_of(dependency),
                       std::make_shared<component::implementation_of<Dependency, Implementation>>(
                           std::move(implementation)),
                       {lasting, type_name<Implementation>(), line}, name);
  }

  std::shared_ptr<component::provider_state> state_;
};

}  // namespace msgbus
