#pragma once

/// The exceptions of the handlers of one verb, in handler order (D2).

#include <msgbus/detail/core/config.hpp>

#include <exception>
#include <memory>
#include <vector>

namespace msgbus::detail {

/// Collects exceptions while a verb runs, and throws them when it has ended. For one thread. One
/// pointer, which is null while nothing has failed.
class failures {
 public:
  void add(std::exception_ptr exception);

  /// Adds an exception, unless that exception object is present: a rethrown one counts once.
  void add_new(const std::exception_ptr& exception);

  /// Adds all exceptions of the other.
  void take(failures& other);

  [[nodiscard]] bool empty() const noexcept { return !errors_; }
  [[nodiscard]] std::size_t size() const noexcept { return errors_ ? errors_->size() : 0; }
  [[nodiscard]] const std::exception_ptr& operator[](std::size_t index) const noexcept {
    return (*errors_)[index];
  }

  /// Throws one exception unchanged, or several as a `dispatch_error`. Returns if there is none.
  void throw_any() {
    if (errors_) [[unlikely]]
      throw_all();
  }

 private:
  [[noreturn]] void throw_all();

  std::unique_ptr<std::vector<std::exception_ptr>> errors_;
};

}  // namespace msgbus::detail
