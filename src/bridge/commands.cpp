#include <msgbus/detail/bridge/commands.hpp>

#include <msgbus/bridge/remote_error.hpp>
#include <msgbus/detail/bridge/make_envelope.hpp>

#include "core/text.hpp"

#include <charconv>
#include <optional>
#include <system_error>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#endif

namespace msgbus::bridging {

namespace {

// The codes of NATS's service protocol are those of HTTP.
constexpr std::string_view code_bad_arguments = "400";
constexpr std::string_view code_no_handler = "404";
constexpr std::string_view code_failed = "500";
constexpr std::string_view code_closed = "503";

std::string readable(const char* name) {
#if __has_include(<cxxabi.h>)
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> found(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  if (status == 0 && found) return found.get();
#endif
  return name;
}

std::string_view code_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const remote_error&) {
    return code_failed;
  } catch (const error& e) {
    if (e.code() == errc::bad_arguments) return code_bad_arguments;
    if (e.code() == errc::no_handler) return code_no_handler;
    if (e.code() == errc::closed) return code_closed;
    return code_failed;
  } catch (...) {
    return code_failed;
  }
}

/// The code of an exception that has one.
std::optional<std::error_code> error_code_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    return e.code();
  } catch (const std::system_error& e) {
    return e.code();
  } catch (...) {
    return std::nullopt;
  }
}

std::optional<remote_error::code_there> code_in(const envelope& answer) {
  const std::string_view category = header_of(answer, header::error_category);
  const std::string_view text = header_of(answer, header::error_value);
  int value = 0;
  const auto [read_to, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = wrong == std::errc() && read_to == text.data() + text.size();
  if (category.empty() || !is_whole) return std::nullopt;
  return remote_error::code_there{std::string(category), value};
}

}  // namespace

void throw_bad_arguments(const std::string& operation, std::string_view types,
                         const std::exception_ptr& why) {
  throw error(errc::bad_arguments,
              "operation '" + operation + "' takes (" + std::string(types) + "): " + describe(why));
}

void check_no_arguments(const std::string& operation, std::string_view bytes) {
  if (bytes.empty() || bytes == "null" || bytes == "[]") return;
  throw error(errc::bad_arguments, "operation '" + operation +
                                       "' takes no arguments, but the request has a payload of " +
                                       std::to_string(bytes.size()) + " bytes");
}

std::string kind_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return readable(typeid(e).name());
  } catch (...) {
#if __has_include(<cxxabi.h>)
    if (const std::type_info* const type = abi::__cxa_current_exception_type()) {
      return readable(type->name());
    }
#endif
    return "unknown";
  }
}

void write_error(envelope& answer, const std::exception_ptr& failure) {
  answer.payload.clear();
  const auto set = [&](std::string_view name, std::string_view value) {
    answer.headers.insert_or_assign(name, value);
  };
  set(header::error_code, code_of(failure));
  set(header::error_kind, in_one_line(kind_of(failure)));
  if (const auto code = error_code_of(failure)) {
    set(header::error_category, in_one_line(code->category().name()));
    set(header::error_value, std::to_string(code->value()));
  }
  const std::string text = in_one_line(describe(failure));
  set(header::error_text, text.empty() ? "no text" : text);  // an empty header says nothing
}

void write_short_error(envelope& answer, const std::exception_ptr& failure) {
  constexpr std::size_t most = 64;  // letters of a type's name
  answer.payload.clear();
  answer.headers.clear();
  answer.headers.emplace(header::error_code, code_of(failure));
  answer.headers.emplace(header::error_kind,
                         detail::first_characters(in_one_line(kind_of(failure)), most));
  answer.headers.emplace(header::error_text, "the reply cannot be sent");
}

std::exception_ptr unsendable(const std::string& text, const std::exception_ptr& why) {
  return std::make_exception_ptr(
      error(errc::transport_failed, text + " cannot be sent: " + describe(why)));
}

void throw_error_in(const envelope& answer, const std::string& operation) {
  const std::string code(header_of(answer, header::error_code));
  if (code.empty()) return;
  std::string text(header_of(answer, header::error_text));
  if (code == code_bad_arguments) throw error(errc::bad_arguments, text);
  if (code == code_no_handler) throw error(errc::no_handler, text);
  if (code == code_closed) throw error(errc::closed, text);
  std::string kind(header_of(answer, header::error_kind));
  throw remote_error(operation, kind.empty() ? "error " + code : std::move(kind), std::move(text),
                     code_in(answer));
}

}  // namespace msgbus::bridging
