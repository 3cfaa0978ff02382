#pragma once

/// The errors of the library: one error code enum, one exception, and one exception for several
/// failures.

#include <msgbus/detail/core/config.hpp>

#include <exception>
#include <iosfwd>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace msgbus {

/// The error codes of the library. Exceptions of handlers are passed on unchanged.
enum class errc {
  no_handler = 1,      ///< no handler for the operation (D3)
  bad_arguments,       ///< wrong number, type or value of arguments (T5)
  not_provided,        ///< a dependency without default and override (I5)
  duplicate_handler,   ///< the service has an operation of that name
  invalid_topic,       ///< a topic or pattern with a syntax error (T7)
  type_mismatch,       ///< no handler accepts the message's type, or a result does not fit (T6)
  closed,              ///< the component or the connection is closed
  full,                ///< the mailbox is full, or the queue of a connection that is away
  would_deadlock,      ///< the operation would wait for its own caller for ever
  timed_out,           ///< the time limit has passed
  circuit_open,        ///< the circuit breaker refuses calls
  rate_limited,        ///< the rate limit refuses the message
  misused_dependency,  ///< `yield` was not called once, or a cycle (I5)
  decode_failed,       ///< the bytes are no valid message
  disconnected,        ///< the connection is lost
  handlers_failed,     ///< several handlers failed: the code of `dispatch_error` (D2)
  remote_failed,       ///< a handler in another process failed: the code of `remote_error`
  encode_failed,       ///< the message has no representation in bytes
  access_denied,       ///< the server refuses credentials or certificates
  unsupported,         ///< the transport does not support it
  transport_failed,    ///< the transport failed; the text says why
  database_failed,     ///< the database failed; the text says why
  in_flight            ///< a message with the same key is being handled
};
std::ostream& operator<<(std::ostream& out, errc value);

/// The category of `errc`; its name is `msgbus`.
[[nodiscard]] const std::error_category& error_category() noexcept;

/// Makes `e.code() == msgbus::errc::closed` work.
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

/// The exception of the library. `what()` is one line. It names the component or the operation, the
/// cause, and the remedy where there is one. Control characters appear as `\r`, `\n` or `\x1b`, and
/// bytes that are not UTF-8 as `\xff`.
class error : public std::system_error {
 public:
  /// An error with a code and a text.
  error(errc code, const std::string& text);

  /// The text.
  [[nodiscard]] const char* what() const noexcept override { return text_.what(); }

 private:
  std::runtime_error text_;  // its string is shared: copying an exception must not throw
};

/// The exceptions of several handlers (D2).
class dispatch_error : public error {
 public:
  /// The exceptions, in the order of the handlers.
  explicit dispatch_error(std::vector<std::exception_ptr> errors);

  /// The exceptions, in the order of the handlers.
  [[nodiscard]] const std::vector<std::exception_ptr>& errors() const noexcept { return *errors_; }

 private:
  std::shared_ptr<const std::vector<std::exception_ptr>> errors_;
};

/// The text of any exception: `what()`, or a sentence if it is no `std::exception`.
[[nodiscard]] std::string describe(const std::exception_ptr& exception);

}  // namespace msgbus

template <>
struct std::is_error_code_enum<msgbus::errc> : std::true_type {};
