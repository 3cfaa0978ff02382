#pragma once

/// Type-erased arguments and results of operations that are called by name. They have the exact
/// types, or convert without loss (T5).

#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/core/convert.hpp>

#include <optional>
#include <string_view>
#include <variant>

namespace msgbus::component {

/// An argument of a call.
struct argument {
  value_ref value;
  bool is_const;
  bool is_rvalue;

  template <class A>
  static argument of(std::remove_reference_t<A>& value) noexcept {
    return {value_ref::to(value), std::is_const_v<std::remove_reference_t<A>>,
            !std::is_lvalue_reference_v<A>};
  }
};

/// The position of an argument, for errors.
struct position {
  std::string_view operation;
  std::size_t index;  // from 1
};

[[noreturn]] void throw_bad_argument(position at, std::string_view wanted, value_ref given,
                                     std::string_view why);

/// An argument for a parameter of type `P`. The constructor checks everything; `get` is called
/// once.
template <class P>
class bound_argument {
  using T = std::remove_cvref_t<P>;
  static constexpr bool wants_mutable =
      std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;
  // A string is made only when the handler needs one.
  static constexpr bool makes_text = std::same_as<P, std::string>;
  static constexpr bool keeps = conversion_target<T> || std::is_rvalue_reference_v<P>;

 public:
  bound_argument(const argument& given, position at) : given_(given) {
    if (is_type<T>(given.value.type)) {
      check_exact(at);
    } else if constexpr (wants_mutable) {
      throw_bad_argument(at, type_name<P>(), given.value, "a reference needs exactly this type");
    } else if constexpr (conversion_target<T>) {
      if constexpr (makes_text) {
        if (given.value.type->text) kept_ = given.value.type->text(given.value.data);
      } else {
        kept_ = converted<T>(given.value);
      }
      if (!kept_) {
        throw_bad_argument(at, type_name<P>(), given.value,
                           converts_from<T>(given.value.type) ? "the value does not fit"
                                                              : "it does not convert without loss");
      }
    } else {
      throw_bad_argument(at, type_name<P>(), given.value, "it does not convert without loss");
    }
  }

  P get() {
    if constexpr (wants_mutable) {
      return exact();
    } else if constexpr (std::is_lvalue_reference_v<P>) {
      if constexpr (keeps) {
        if (kept_) return *kept_;
      }
      return exact();
    } else if constexpr (std::is_rvalue_reference_v<P>) {
      return std::move(kept_ ? *kept_ : exact());
    } else {
      if constexpr (keeps) {
        if (kept_) return P(std::move(*kept_));
      }
      if constexpr (std::copy_constructible<T>) {
        if (!moves()) return std::as_const(exact());
      }
      return std::move(exact());
    }
  }

 private:
  [[nodiscard]] bool moves() const noexcept { return given_.is_rvalue && !given_.is_const; }

  // `const` is checked against the argument before anything is changed.
  T& exact() const noexcept { return *static_cast<T*>(const_cast<void*>(given_.value.data)); }

  void check_exact(position at) {
    if constexpr (wants_mutable) {
      if (given_.is_rvalue || given_.is_const) {
        throw_bad_argument(at, type_name<P>(), given_.value,
                           "a reference to non-const needs a variable that is not const");
      }
    } else if constexpr (!std::is_lvalue_reference_v<P>) {
      if (moves()) return;
      if constexpr (!std::copy_constructible<T>) {
        throw_bad_argument(at, type_name<P>(), given_.value,
                           "it cannot be copied; pass it with std::move");
      } else if constexpr (std::is_rvalue_reference_v<P>) {
        kept_.emplace(std::as_const(exact()));
      }
    }
  }

  argument given_;
  std::conditional_t<makes_text, text_value,
                     std::conditional_t<keeps, std::optional<T>, std::monostate>>
      kept_{};
};

/// A type that stands for an exact result type, with its reference and constness.
template <class R>
struct exactly {};

/// The requested result type, erased.
struct result_kind {
  type_key exact;                  // key_of<exactly<R>>
  type_key value;                  // key_of<R>; null for a reference
  std::string_view name;           // of R
  bool discards;                   // R is void
  bool (*accepts)(type_key from);  // whether it converts to R
  bool (*convert)(void* slot, value_ref from);
};

// A view of a text that the operation returned by value would dangle.
template <class R>
inline constexpr bool is_converted_result =
    conversion_target<R> && !std::same_as<R, std::string_view>;

template <class R>
bool accepts_result(type_key from) {
  if constexpr (is_converted_result<R>) return converts_from<R>(from);
  return false;
}

template <class R>
bool convert_result(void* slot, value_ref from) {
  if constexpr (is_converted_result<R>) {
    if (auto value = converted<R>(from)) {
      auto take = [&]() -> R { return std::move(*value); };
      static_cast<component::result_of<R>*>(slot)->run(take);
      return true;
    }
  }
  return false;
}

template <class R>
inline constexpr result_kind kind_of_result{
    key_of<exactly<R>>, std::is_reference_v<R> ? nullptr : key_of<R>,
    type_name<R>(),     std::is_void_v<R>,
    &accepts_result<R>, &convert_result<R>};

/// The destination of a result.
struct result_ref {
  const result_kind& kind;
  void* slot;  // a result_of<R>

  template <class R>
  static result_ref to(component::result_of<R>& slot) noexcept {
    return {kind_of_result<R>, &slot};
  }
};

[[noreturn]] void throw_bad_result(std::string_view operation, std::string_view wanted,
                                   std::string_view given, const char* why);

/// Throws if a result of type `R` does not convert to the requested type. Called before the
/// handler, so that no result is lost.
template <class R>
void check_result(const result_ref& out, std::string_view operation) {
  if (is_type<exactly<R>>(out.kind.exact) || out.kind.discards) return;
  if constexpr (std::is_void_v<R>) {
    throw_bad_result(operation, out.kind.name, "void", "it returns nothing");
  } else {
    using T = std::remove_cvref_t<R>;
    if constexpr (std::constructible_from<T, R> && std::move_constructible<T>) {
      if (is_type<T>(out.kind.value)) return;
    }
    if (!out.kind.accepts(key_of<T>)) {
      throw_bad_result(operation, out.kind.name, type_name<R>(),
                       "it does not convert without loss");
    }
  }
}

/// Calls an operation that returns `R`, and stores the result. An impossible conversion is refused
/// before the call, so that no result is lost.
template <class R, class Call>
void store_result(const result_ref& out, std::string_view operation, Call& call) {
  if (is_type<exactly<R>>(out.kind.exact)) {
    static_cast<component::result_of<R>*>(out.slot)->run(call);
  } else if (out.kind.discards) {
    (void)call();
  } else if constexpr (std::is_void_v<R>) {
    throw_bad_result(operation, out.kind.name, "void", "it returns nothing");
  } else {
    using T = std::remove_cvref_t<R>;
    if constexpr (std::constructible_from<T, R> && std::move_constructible<T>) {
      if (is_type<T>(out.kind.value)) {
        auto copy = [&]() -> T { return call(); };
        return static_cast<component::result_of<T>*>(out.slot)->run(copy);
      }
    }
    if (!out.kind.accepts(key_of<T>)) {
      throw_bad_result(operation, out.kind.name, type_name<R>(),
                       "it does not convert without loss");
    }
    const auto& result = call();
    if (!out.kind.convert(out.slot, value_ref::to(result))) {
      throw_bad_result(operation, out.kind.name, describe(value_ref::to(result)),
                       "the value does not fit");
    }
  }
}

}  // namespace msgbus::component
