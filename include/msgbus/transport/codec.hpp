#pragma once

/// The conversion of messages to bytes and back.

#include <msgbus/error.hpp>
#include <msgbus/name_of.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <concepts>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace msgbus {

/// The format that `json_codec` writes. It reads both.
enum class encoding {
  json,  ///< `application/json`
  cbor   ///< `application/cbor`: the same in binary (RFC 8949)
};
std::ostream& operator<<(std::ostream& out, encoding value);

/// A message as bytes.
struct payload {
  std::string bytes;
  std::string content_type;
};
std::ostream& operator<<(std::ostream& out, const payload& value);

namespace detail {

[[nodiscard]] constexpr std::string_view content_type_of(encoding written) noexcept {
  return written == encoding::cbor ? "application/cbor" : "application/json";
}

[[nodiscard]] std::string write_json(const nlohmann::json& from, encoding wanted,
                                     std::string_view type);
[[nodiscard]] nlohmann::json read_json(std::string_view bytes, std::string_view content_type,
                                       std::string_view type);
[[noreturn]] void throw_not_decoded(std::string_view type, const char* why);
[[noreturn]] void throw_wrong_json(std::string_view type, const char* wanted,
                                   const nlohmann::json& given);

template <class T>
concept json_like = requires(const T& value, const nlohmann::json& json) {
  nlohmann::json(value);
  { json.template get<T>() } -> std::same_as<T>;
};

template <class T>
struct from_json_exactly {
  static T get(const nlohmann::json& from) { return from.get<T>(); }
};

/// Refuses values that nlohmann-json would convert with a loss (T5).
template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>)
struct from_json_exactly<T> {
  static T get(const nlohmann::json& from) {
    if (from.is_number_unsigned()) {
      const auto value = from.get<std::uint64_t>();
      if (std::in_range<T>(value)) return static_cast<T>(value);
    } else if (from.is_number_integer()) {
      const auto value = from.get<std::int64_t>();
      if (std::in_range<T>(value)) return static_cast<T>(value);
    }
    throw_wrong_json(name_of<T>, "an integer that fits", from);
  }
};

/// Whether a `T` can hold this value. Infinities and NaN fit into every type.
template <std::floating_point T>
bool fits(double value) noexcept {
  if constexpr (sizeof(T) < sizeof(double)) {
    const auto largest = static_cast<double>(std::numeric_limits<T>::max());
    return !std::isfinite(value) || std::abs(value) <= largest;
  } else {
    return true;
  }
}

template <std::floating_point T>
struct from_json_exactly<T> {
  static T get(const nlohmann::json& from) {
    if (!from.is_number()) throw_wrong_json(name_of<T>, "a number", from);
    const auto value = from.get<double>();
    if (!fits<T>(value)) throw_wrong_json(name_of<T>, "a number that fits", from);
    return static_cast<T>(value);
  }
};

template <class... Ts>
struct from_json_exactly<std::tuple<Ts...>> {
  static std::tuple<Ts...> get(const nlohmann::json& from) {
    return get(from, std::index_sequence_for<Ts...>{});
  }
  template <std::size_t... I>
  static std::tuple<Ts...> get(const nlohmann::json& from, std::index_sequence<I...>) {
    if (!from.is_array() || from.size() != sizeof...(Ts)) {
      throw_wrong_json(name_of<std::tuple<Ts...>>, "an array with as many values", from);
    }
    return std::tuple<Ts...>{from_json_exactly<Ts>::get(from[I])...};
  }
};

}  // namespace detail

/// Writes and reads the types that nlohmann-json supports: numbers, strings, containers, and types
/// with `to_json` and `from_json`, which its macros generate.
template <class T>
struct json_codec {
  static_assert(detail::json_like<T>,
                "msgbus: this type has no codec: give it to_json and from_json "
                "(NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE generates them), or specialise msgbus::codec");

  /// Encodes a value.
  ///
  /// Throws: `encode_failed`, with the name of the member, for a value that would be read as
  /// another one: JSON has no NaN, no infinity and no bytes, and its strings are UTF-8.
  [[nodiscard]] static payload encode(const T& value, encoding wanted = encoding::json) {
    return {detail::write_json(nlohmann::json(value), wanted, name_of<T>),
            std::string(detail::content_type_of(wanted))};
  }

  /// Decodes a value. An empty content type means JSON.
  ///
  /// Throws: `decode_failed`, with the value that was found instead.
  [[nodiscard]] static T decode(std::string_view bytes, std::string_view content_type) {
    const nlohmann::json json = detail::read_json(bytes, content_type, name_of<T>);
    try {
      return detail::from_json_exactly<T>::get(json);
    } catch (const nlohmann::json::exception& e) {
      detail::throw_not_decoded(name_of<T>, e.what());
    }
  }
};

/// The codec of `T`. Specialise it, next to the type, for a type with a format of its own; the
/// members are those of `json_codec`. Several threads may call them at the same time, also threads
/// of the transport. Any exception of `decode` is passed on as `decode_failed`. A
/// member `static constexpr const char* content_type` is the content type in descriptions.
template <class T>
struct codec : json_codec<T> {};

/// A type that always travels as CBOR: `template <> struct codec<order> : cbor_codec<order> {};`
template <class T>
struct cbor_codec : json_codec<T> {
  [[nodiscard]] static payload encode(const T& value, encoding = encoding::cbor) {
    return json_codec<T>::encode(value, encoding::cbor);
  }
};

namespace detail {

/// Whether `codec<T>` writes what `json_codec<T>` does.
template <class T>
concept written_as_json = std::is_base_of_v<json_codec<T>, codec<T>> &&
                          requires { requires& codec<T>::encode == &json_codec<T>::encode; };

/// A message as bytes, for links. The content type of JSON and CBOR needs no memory.
class encoded {
 public:
  encoded() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it is the same message
  encoded(payload&& made) noexcept
      : bytes(std::move(made.bytes)), own_type_(std::move(made.content_type)) {}
  encoded(std::string made, encoding written) noexcept
      : bytes(std::move(made)), fixed_type_(content_type_of(written)) {}

  [[nodiscard]] std::string_view content_type() const noexcept {
    return fixed_type_.empty() ? std::string_view(own_type_) : fixed_type_;
  }

  std::string bytes;

 private:
  std::string own_type_;         // of a codec
  std::string_view fixed_type_;  // else
};

/// By the type's codec. Throws what that throws.
template <class T>
[[nodiscard]] encoded encode(const T& value, encoding wanted) {
  if constexpr (written_as_json<T>) {
    return {write_json(nlohmann::json(value), wanted, name_of<T>), wanted};
  } else {
    payload made = codec<T>::encode(value, wanted);
    return made;
  }
}

/// The content type of what `codec<T>` writes; empty if only a message tells.
template <class T>
[[nodiscard]] constexpr std::string_view content_type_of_codec(encoding wanted) noexcept {
  if constexpr (requires { std::string_view(codec<T>::content_type); }) {
    return codec<T>::content_type;
  } else if constexpr (std::is_base_of_v<cbor_codec<T>, codec<T>>) {
    if constexpr (requires { requires& codec<T>::encode == &cbor_codec<T>::encode; }) {
      return content_type_of(encoding::cbor);
    }
  } else if constexpr (written_as_json<T>) {
    return content_type_of(wanted);
  }
  return {};
}

/// A type of messages, as descriptions have it.
struct wire_type {
  std::string_view name;  // on the wire
  std::string_view (*content_type)(encoding wanted) = nullptr;
};
template <class T>
inline constexpr wire_type wire_type_of{name_of<T>, &content_type_of_codec<T>};
template <>
inline constexpr wire_type wire_type_of<void>{"void"};

}  // namespace detail

}  // namespace msgbus
