#pragma once

/// What goes wrong, as one error code enum, one exception, and one exception for several.

#include <msgbus/core/namespaces.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace msgbus {

/// Every way in which the library itself refuses. What handlers throw is passed on as thrown.
enum class errc {
  no_handler = 1,      ///< an operation that no service handles (D3)
  bad_arguments,       ///< wrong count, type or value of an operation's arguments (T5)
  not_provided,        ///< a dependency that has neither default nor override (I5)
  duplicate_handler,   ///< a second operation of the same name
  invalid_topic,       ///< a topic or pattern that breaks the grammar (T7)
  type_mismatch,       ///< a message or result whose type nobody takes (T6)
  closed,              ///< the component takes nothing new
  full,                ///< the mailbox is full
  would_deadlock,      ///< waiting would wait for oneself
  timed_out,           ///< the time given was not enough
  circuit_open,        ///< too many failures just now
  rate_limited,        ///< too many messages just now
  misused_dependency,  ///< `yield` never or twice, or a cycle (I5)
  decode_failed,       ///< bytes that are not a message
  disconnected,        ///< the transport is away
  handlers_failed,     ///< several handlers failed: the code of `dispatch_error` (D2)
  remote_failed,       ///< a handler in another process failed: the code of `remote_error`
  encode_failed,       ///< a message that cannot become bytes
  access_denied,       ///< the transport refuses credentials or certificates
  unsupported,         ///< the transport cannot do it
  transport_failed     ///< the transport says why
};

[[nodiscard]] const std::error_category& error_category() noexcept;

/// So that `e.code() == msgbus::errc::closed` reads as it should.
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

/// The library's exception. `what()` names what was asked for and what was there, in one line: a
/// control character in a name, a topic or a payload is shown as `\r`, `\n` or `\x1b`, and a byte
/// that is not UTF-8 as `\xff`.
class error : public std::system_error {
 public:
  error(errc code, const std::string& text);

  [[nodiscard]] const char* what() const noexcept override { return text_.what(); }

 private:
  std::runtime_error text_;  // its string is shared: copying an exception must not throw
};

/// Several handlers failed (D2). `errors()` holds what each threw, in handler order.
class dispatch_error : public error {
 public:
  explicit dispatch_error(std::vector<std::exception_ptr> errors);

  [[nodiscard]] const std::vector<std::exception_ptr>& errors() const noexcept { return *errors_; }

 private:
  std::shared_ptr<const std::vector<std::exception_ptr>> errors_;
};

/// The text of any exception: `what()`, or a sentence for one that is no `std::exception`.
[[nodiscard]] std::string describe(const std::exception_ptr& exception);

}  // namespace msgbus

template <>
struct std::is_error_code_enum<msgbus::errc> : std::true_type {};
