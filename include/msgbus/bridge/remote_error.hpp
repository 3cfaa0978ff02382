#pragma once

/// What a handler in another process threw.

#include <msgbus/core/error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace msgbus {

/// Its code is `remote_failed`; `what()` names the operation, the kind and the text.
class remote_error : public error {
 public:
  /// The code that the exception had there: its category's name, and its value.
  struct code_there {
    std::string category = {};
    int value = 0;
  };

  remote_error(const std::string& operation, std::string kind, std::string text,
               std::optional<code_there> code = {})
      : error(errc::remote_failed, operation + " failed there with " + kind + ": " + text),
        parts_(std::make_shared<const parts>(
            parts{std::move(kind), std::move(text), std::move(code)})) {}

  /// The name of the exception's type there, such as `std::out_of_range`.
  [[nodiscard]] const std::string& kind() const noexcept { return parts_->kind; }
  /// Its `what()`.
  [[nodiscard]] const std::string& text() const noexcept { return parts_->text; }
  /// Its `error_code`, if it was a `std::system_error` or an error of the library.
  [[nodiscard]] const std::optional<code_there>& remote_code() const noexcept {
    return parts_->code;
  }

 private:
  struct parts {
    std::string kind;
    std::string text;
    std::optional<code_there> code;
  };
  std::shared_ptr<const parts> parts_;  // copying an exception must not throw
};

}  // namespace msgbus
