#pragma once

/// The exception of a handler in another process.

#include <msgbus/error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace msgbus {

/// The code is `remote_failed`. `what()` names the operation, the exception's type and its text.
class remote_error : public error {
 public:
  /// The error code of the exception: the name of its category, and its value.
  struct code_there {
    std::string category = {};  ///< the name of the category
    int value = 0;              ///< the value of the code
  };

  /// Made from a reply.
  remote_error(const std::string& operation, std::string kind, std::string text,
               std::optional<code_there> code = {})
      : error(errc::remote_failed,
              "remote operation '" + operation + "' failed with " + kind + ": " + text),
        fields_(std::make_shared<const fields>(
            fields{std::move(kind), std::move(text), std::move(code)})) {}

  /// The name of the exception's type, such as `std::out_of_range`.
  [[nodiscard]] const std::string& kind() const noexcept { return fields_->kind; }
  /// The `what()` of the exception.
  [[nodiscard]] const std::string& text() const noexcept { return fields_->text; }
  /// The error code, if the exception was a `std::system_error` or a `msgbus::error`.
  [[nodiscard]] const std::optional<code_there>& remote_code() const noexcept {
    return fields_->code;
  }

 private:
  struct fields {
    std::string kind;
    std::string text;
    std::optional<code_there> code;
  };
  std::shared_ptr<const fields> fields_;  // copying an exception must not throw
};

}  // namespace msgbus
