#pragma once

/// The type information of an erased value: identity, name, and access to it as a string or a
/// number if it is one.

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/core/type_name.hpp>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace msgbus::detail {

/// An integer of any built-in type, without loss.
struct integer_value {
  bool negative = false;
  std::uint64_t magnitude = 0;
};

/// A string; empty for a null pointer.
using text_value = std::optional<std::string_view>;

#if defined(__GXX_RTTI) || defined(__cpp_rtti) || defined(_CPPRTTI)
#define MSGBUS_TYPEID(T) &typeid(T)
#else
#define MSGBUS_TYPEID(T) nullptr
#endif

/// One record per type, and one more for each shared library that hides the type (T1).
struct type_record {
  std::string_view name;
  std::size_t hash;                                 // of the name
  const std::type_info* info;                       // null where the address alone decides
  text_value (*text)(const void*) = nullptr;        // null unless the type is string-like
  integer_value (*integer)(const void*) = nullptr;  // null unless the type is an integer
  float (*single)(const void*) = nullptr;           // null unless the type is `float`
};

using type_key = const type_record*;

/// Whether two keys stand for the same type: their addresses are equal, or else `typeid` decides.
/// Without RTTI, and for types in unnamed namespaces, only the addresses decide.
[[nodiscard]] inline bool is_same_type(type_key one, type_key other) noexcept {
  if (one == other) return true;
  return one && other && one->hash == other->hash && one->info && other->info &&
         *one->info == *other->info;
}

template <class T>
concept integer_like = std::integral<T> && sizeof(T) <= sizeof(std::uint64_t);

template <class T>
concept text_like =
    std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>;

template <class T>
text_value read_text(const void* value) {
  const auto& text = *static_cast<const T*>(value);
  if constexpr (std::is_array_v<T>) {  // it may be full, without a null at its end
    const void* const end = std::memchr(text, '\0', std::extent_v<T>);
    return std::string_view(text, end ? static_cast<const char*>(end) : text + std::extent_v<T>);
  } else {
    if constexpr (std::is_pointer_v<T>) {
      if (text == nullptr) return std::nullopt;
    }
    return std::string_view(text);
  }
}

template <class T>
integer_value read_integer(const void* value) {
  const T number = *static_cast<const T*>(value);
  if constexpr (std::is_signed_v<T>) {
    // The magnitude of the lowest number fits only when negated as unsigned.
    if (number < 0) return {true, std::uint64_t{0} - static_cast<std::uint64_t>(number)};
  }
  return {false, static_cast<std::uint64_t>(number)};
}

inline float read_single(const void* value) { return *static_cast<const float*>(value); }

/// Whether each file has its own type of this name. Clang's `typeid` does not distinguish them.
constexpr bool is_unnamed(std::string_view type) {
  return type.find("{anonymous}") != std::string_view::npos ||
         type.find("(anonymous") != std::string_view::npos;
}

template <class T>
constexpr type_record make_type_record() {
  type_record record{type_name<T>(), hash_of(type_name<T>()),
                     is_unnamed(type_name<T>()) ? nullptr : MSGBUS_TYPEID(T)};
  if constexpr (integer_like<T>) {
    record.integer = &read_integer<T>;
  } else if constexpr (std::same_as<T, float>) {
    record.single = &read_single;
  } else if constexpr (!std::is_void_v<T>) {
    if constexpr (text_like<T>) record.text = &read_text<T>;
  }
  return record;
}

#if defined(__GNUC__)
#define MSGBUS_ONE_EVERYWHERE [[gnu::visibility("default")]]
#else
#define MSGBUS_ONE_EVERYWHERE
#endif

template <class T>
MSGBUS_ONE_EVERYWHERE inline constexpr type_record record_of = make_type_record<T>();

#undef MSGBUS_ONE_EVERYWHERE
#undef MSGBUS_TYPEID

/// The key of `T` without its reference and its outer `const`.
template <class T>
inline constexpr type_key key_of = &record_of<std::remove_cvref_t<T>>;

template <class T>
[[nodiscard]] bool is_type(type_key key) noexcept {
  return is_same_type(key, key_of<T>);
}

/// Identifies a type, also after its shared library was unloaded.
class kept_type {
 public:
  explicit kept_type(type_key of);

  [[nodiscard]] bool is(type_key other) const noexcept {
    return other->hash == hash_ && is_with_same_hash(other);
  }
  [[nodiscard]] bool is_with_same_hash(type_key other) const noexcept {
    return other == key_ || (other->info && has_name(*other->info));
  }
  [[nodiscard]] std::size_t hash() const noexcept { return hash_; }

 private:
  [[nodiscard]] bool has_name(const std::type_info& info) const noexcept;

  const type_key key_;  // compared, never dereferenced
  const std::size_t hash_;
  std::string info_name_;  // empty if the address alone decides
};

/// A reference to a value of an erased type.
struct value_ref {
  type_key type;
  const void* data;

  template <class T>
  static value_ref to(const T& value) noexcept {
    static_assert(!std::is_function_v<T>, "msgbus: a function is passed by its address");
    return {key_of<T>, std::addressof(value)};
  }
};

}  // namespace msgbus::detail
