#pragma once

/// The values of statements and query results.

#include <msgbus/detail/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace msgbus::durable {

/// Bytes in a column.
using blob = std::vector<std::byte>;

/// A value of SQLite: null, an integer, a real number, a text or bytes.
using value = std::variant<std::monostate, std::int64_t, double, std::string, blob>;

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

[[noreturn]] void throw_too_large_integer();
[[noreturn]] void throw_wrong_value(const std::string& column, const char* wanted,
                                    const value& given);

/// Throws: `bad_arguments` for an unsigned integer that a column cannot hold.
template <class T>
value as_value(T&& from) {
  using type = std::decay_t<T>;
  if constexpr (std::is_same_v<type, value>) {
    return std::forward<T>(from);
  } else if constexpr (std::is_same_v<type, std::nullptr_t> ||
                       std::is_same_v<type, std::nullopt_t>) {
    return {};
  } else if constexpr (is_optional<type>) {
    if (!from) return {};
    return as_value(*std::forward<T>(from));
  } else if constexpr (std::is_same_v<type, bool>) {
    return std::int64_t{from};
  } else if constexpr (std::integral<type>) {
    if (!std::in_range<std::int64_t>(from)) throw_too_large_integer();
    return static_cast<std::int64_t>(from);
  } else if constexpr (std::floating_point<type>) {
    return static_cast<double>(from);
  } else if constexpr (std::is_same_v<type, blob>) {
    return value(std::forward<T>(from));
  } else {
    static_assert(std::is_convertible_v<T, std::string_view>,
                  "msgbus: a statement's argument is a number, a text, a blob, a nullptr, or an "
                  "optional of one of them");
    return std::string(std::string_view(from));
  }
}

/// Throws: `type_mismatch`.
template <class T>
T from_value(const value& from, const std::string& column) {
  if constexpr (is_optional<T>) {
    if (std::holds_alternative<std::monostate>(from)) return std::nullopt;
    return from_value<typename T::value_type>(from, column);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (const auto* number = std::get_if<std::int64_t>(&from)) return *number != 0;
    throw_wrong_value(column, "a boolean", from);
  } else if constexpr (std::integral<T>) {
    if (const auto* number = std::get_if<std::int64_t>(&from)) {
      if (std::in_range<T>(*number)) return static_cast<T>(*number);
    }
    throw_wrong_value(column, "an integer that fits", from);
  } else if constexpr (std::floating_point<T>) {
    if (const auto* number = std::get_if<double>(&from)) return static_cast<T>(*number);
    if (const auto* number = std::get_if<std::int64_t>(&from)) return static_cast<T>(*number);
    throw_wrong_value(column, "a number", from);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (const auto* text = std::get_if<std::string>(&from)) return *text;
    throw_wrong_value(column, "a text", from);
  } else if constexpr (std::is_same_v<T, value>) {
    return from;
  } else {
    static_assert(
        std::is_same_v<T, blob>,
        "msgbus: a column is read as a number, a bool, a std::string, a blob, a value, or "
        "an optional of one of them");
    if (const auto* bytes = std::get_if<blob>(&from)) return *bytes;
    throw_wrong_value(column, "a blob", from);
  }
}

}  // namespace detail

/// A row of a query's result.
class row {
 public:
  /// Made by the library: the names of the columns, and as many values.
  row(std::shared_ptr<const std::vector<std::string>> columns, std::vector<value> values) noexcept
      : columns_(std::move(columns)), values_(std::move(values)) {}

  /// The number of columns.
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

  /// The value of a column, from 0. `T` is a number, `bool`, `std::string`, `blob`, or an optional
  /// of one of them.
  ///
  /// Throws: `bad_arguments` if there is no such column; `type_mismatch` if it holds something
  /// else, `null` included.
  template <class T>
  [[nodiscard]] T get(std::size_t column) const {
    const value& found = at(column);  // which checks the number
    return detail::from_value<T>(found, (*columns_)[column]);
  }

  /// As above, by the name of the column.
  template <class T>
  [[nodiscard]] T get(std::string_view column) const {
    return get<T>(index_of(column));
  }

  /// The value of a column, from 0. Throws: `bad_arguments`.
  [[nodiscard]] const value& at(std::size_t column) const;

 private:
  friend std::ostream& operator<<(std::ostream& out, const row& of);

  [[nodiscard]] std::size_t index_of(std::string_view column) const;

  std::shared_ptr<const std::vector<std::string>> columns_;
  std::vector<value> values_;
};
std::ostream& operator<<(std::ostream& out, const row& of);

}  // namespace msgbus::durable
