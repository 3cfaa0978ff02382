#pragma once

/// The names of types in other processes.

#include <msgbus/detail/core/type_name.hpp>

#include <cstddef>
#include <string_view>

namespace msgbus {

namespace detail {

/// A text that can be edited while compiling.
template <std::size_t Capacity>
struct edited_name {
  char text[Capacity] = {};
  std::size_t size = 0;

  constexpr explicit edited_name(std::string_view from) {
    for (const char c : from) text[size++] = c;
  }

  [[nodiscard]] constexpr std::string_view view() const { return {text, size}; }

  static constexpr bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  /// Replaces each `from` that is not a part of a longer word by `to`, which is no longer.
  constexpr void replace(std::string_view from, std::string_view to) {
    std::size_t put = 0;
    for (std::size_t at = 0; at < size;) {
      const bool begins = at == 0 || !is_word(text[at - 1]) || !is_word(from.front());
      const std::size_t end = at + from.size();
      if (begins && view().substr(at).starts_with(from) &&
          (end == size || !is_word(text[end]) || !is_word(from.back()))) {
        for (const char c : to) text[put++] = c;
        at = end;
      } else {
        text[put++] = text[at++];
      }
    }
    size = put;
  }

  /// Removes the spaces that do not separate two words.
  constexpr void close_gaps() {
    std::size_t put = 0;
    for (std::size_t at = 0; at < size; ++at) {
      const bool needed =
          put > 0 && is_word(text[put - 1]) && at + 1 < size && is_word(text[at + 1]);
      if (text[at] != ' ' || needed) text[put++] = text[at];
    }
    size = put;
  }
};

template <class T>
consteval auto deduced_name() {
  edited_name<type_name<T>().size()> name(type_name<T>());
  // Spellings that differ between compilers and standard libraries. Longer ones come first.
  name.replace("long long unsigned int", "unsigned long long");
  name.replace("long unsigned int", "unsigned long");
  name.replace("short unsigned int", "unsigned short");
  name.replace("unsigned int", "unsigned");
  name.replace("long long int", "long long");
  name.replace("long int", "long");
  name.replace("short int", "short");
  name.replace("std::__cxx11::", "std::");
  name.replace("std::__1::", "std::");
  name.replace("struct ", "");
  name.replace("class ", "");
  name.replace("enum ", "");
  name.close_gaps();
  name.replace("std::basic_string<char,std::char_traits<char>,std::allocator<char>>",
               "std::string");
  name.replace("std::basic_string<char>", "std::string");
  return name;
}

template <class T>
inline constexpr auto deduced_name_of = deduced_name<T>();

}  // namespace detail

/// The name of `T` on the wire: the spelling in the source, the same for every compiler. Give a
/// name to types whose C++ name may change, to types in unnamed namespaces, and to types that other
/// languages use. Put it next to the type:
///
///     template <>
///     inline constexpr std::string_view msgbus::name_of<order> = "shop.order";
template <class T>
inline constexpr std::string_view name_of = detail::deduced_name_of<T>.view();

}  // namespace msgbus
