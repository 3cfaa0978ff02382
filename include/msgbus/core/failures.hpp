#pragma once

/// What the handlers of one verb threw, in handler order (D2).

#include <msgbus/core/namespaces.hpp>

#include <exception>
#include <memory>
#include <vector>

namespace msgbus::detail {

/// Collects while a verb runs, and throws once it has ended. For one thread; one pointer, which is
/// null as long as nothing has failed.
class failures {
 public:
  void add(std::exception_ptr exception);

  /// Adds it unless that very exception object is there: a rethrown one counts once.
  void add_new(const std::exception_ptr& exception);

  /// Adds all that the other has.
  void take(failures& other);

  [[nodiscard]] bool empty() const noexcept { return !errors_; }
  [[nodiscard]] std::size_t size() const noexcept { return errors_ ? errors_->size() : 0; }
  [[nodiscard]] const std::exception_ptr& operator[](std::size_t index) const noexcept {
    return (*errors_)[index];
  }

  /// Throws what there is: one as it was thrown, several as a `dispatch_error`.
  void throw_any() {
    if (errors_) [[unlikely]]
      throw_all();
  }

 private:
  [[noreturn]] void throw_all();

  std::unique_ptr<std::vector<std::exception_ptr>> errors_;
};

}  // namespace msgbus::detail
