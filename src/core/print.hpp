#pragma once

/// Values as text, for `operator<<`, in the form of designated initialisers, such as
/// `receipt{.admitted = 1, .dropped = 0, .rejected = 0}`.

#include <concepts>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus::detail {

/// The text in quotes, escaped to one line.
[[nodiscard]] std::string quoted(std::string_view text);

/// The members of one value. They become one text first, so that a stream's width applies to the
/// whole value, and its other flags to nothing.
class printed {
 public:
  explicit printed(std::string_view type) : text_(std::string(type) + '{') {}

  template <std::integral T>
  printed& member(std::string_view name, T value) {
    return written(name, std::to_string(value));
  }
  printed& member(std::string_view name, bool value) {
    return written(name, value ? "true" : "false");
  }
  printed& member(std::string_view name, std::string_view value) {
    return written(name, quoted(value));
  }
  printed& member(std::string_view name, const char* value) {  // which would be a bool
    return member(name, std::string_view(value));
  }
  /// The value without quotes, such as an enumerator.
  printed& written(std::string_view name, std::string_view value) {
    text_.append(std::exchange(separator_, ", ")).append(".").append(name).append(" = ");
    text_ += value;
    return *this;
  }

  friend std::ostream& operator<<(std::ostream& out, const printed& value) {
    return out << value.text_ + '}';
  }

 private:
  std::string text_;
  const char* separator_ = "";
};

/// An enumerator's name, or `type(7)` for a value that has none.
template <class Enum>
[[nodiscard]] std::string enumerator(
    Enum value, std::string_view type,
    std::initializer_list<std::pair<Enum, std::string_view>> names) {
  for (const auto& [each, name] : names) {
    if (each == value) return std::string(name);
  }
  return std::string(type) + '(' + std::to_string(static_cast<int>(value)) + ')';
}

}  // namespace msgbus::detail
