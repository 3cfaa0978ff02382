#pragma once

/// What a handler in another process threw.

#include <msgbus/core/error.hpp>

#include <memory>
#include <string>
#include <utility>

namespace msgbus {

/// Its code is `remote_failed`; `what()` names the operation, the kind and the text.
class remote_error : public error {
 public:
  remote_error(const std::string& operation, std::string kind, std::string text)
      : error(errc::remote_failed, operation + " failed there with " + kind + ": " + text),
        parts_(std::make_shared<const parts>(parts{std::move(kind), std::move(text)})) {}

  /// The name of the exception's type there, such as `std::out_of_range`.
  [[nodiscard]] const std::string& kind() const noexcept { return parts_->kind; }
  /// Its `what()`.
  [[nodiscard]] const std::string& text() const noexcept { return parts_->text; }

 private:
  struct parts {
    std::string kind;
    std::string text;
  };
  std::shared_ptr<const parts> parts_;  // copying an exception must not throw
};

}  // namespace msgbus
