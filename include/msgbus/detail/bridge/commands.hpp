#pragma once

/// Commands as bytes: arguments, results, errors.

#include <msgbus/error.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace msgbus::bridging {

/// The type of an argument on the wire; strings own their text.
template <class A>
using wire_argument = std::conditional_t<std::is_convertible_v<std::decay_t<A>, std::string_view>,
                                         std::string, std::decay_t<A>>;

/// One argument is the payload itself, several are an array, none is an empty payload.
template <class... Args>
detail::encoded write_arguments(encoding mode, Args... args) {
  if constexpr (sizeof...(Args) == 0) {
    (void)mode;
    detail::encoded nothing;
    return nothing;
  } else if constexpr (sizeof...(Args) == 1) {
    return detail::encode<Args...>(args..., mode);
  } else {
    using all = std::tuple<Args...>;
    return detail::encode<all>(all(std::move(args)...), mode);
  }
}

/// Throws `bad_arguments`.
[[noreturn]] void throw_bad_arguments(const std::string& operation, std::string_view types,
                                      const std::exception_ptr& why);
void check_no_arguments(const std::string& operation, std::string_view bytes);

template <class... Args>
std::tuple<Args...> read_arguments(const std::string& operation, std::string_view bytes,
                                   std::string_view content_type) {
  if constexpr (sizeof...(Args) == 0) {
    check_no_arguments(operation, bytes);
    return {};
  } else {
    try {
      if constexpr (sizeof...(Args) == 1) {
        return std::tuple<Args...>(codec<Args...>::decode(bytes, content_type));
      } else {
        return codec<std::tuple<Args...>>::decode(bytes, content_type);
      }
    } catch (...) {
      std::string types;
      ((types += (types.empty() ? "" : ", ") + std::string(name_of<Args>)), ...);
      throw_bad_arguments(operation, types, std::current_exception());
    }
  }
}

/// Writes an error into the headers of a reply.
void write_error(envelope& answer, const std::exception_ptr& failure);

/// The same in as few bytes as possible, instead of the whole reply.
void write_short_error(envelope& answer, const std::exception_ptr& failure);

/// The failure of an operation whose reply the transport refuses.
[[nodiscard]] std::exception_ptr unsendable(const std::string& text, const std::exception_ptr& why);

/// Throws the error in the headers of a reply, if there is one.
void throw_error_in(const envelope& answer, const std::string& operation);

/// The name of the exception's type, if it can be determined.
[[nodiscard]] std::string kind_of(const std::exception_ptr& failure);

}  // namespace msgbus::bridging
