#pragma once

/// The exceptions of the handlers of one verb, in handler order (D2).

#include <msgbus/detail/core/config.hpp>

#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

namespace msgbus::detail {

/// Collects exceptions while a verb runs, and throws them when it has ended. For one thread. The
/// first one needs no memory, so no failure is ever without one. Others are left out if there is no
/// memory for them.
class failures {
 public:
  failures() noexcept {}  // NOLINT: `others_` has a value when there is a first one
  failures(failures&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {
    if (first_) [[unlikely]]
      others_ = other.others_;
  }
  failures& operator=(failures&& other) noexcept {
    const failures before(std::move(*this));
    first_ = std::exchange(other.first_, nullptr);
    if (first_) [[unlikely]]
      others_ = other.others_;
    return *this;
  }
  ~failures() {
    if (first_) [[unlikely]]
      delete others_;
  }

  void add(std::exception_ptr exception) noexcept {
    if (!first_) {
      first_ = std::move(exception);
      others_ = nullptr;
    } else {
      add_behind(std::move(exception));
    }
  }

  /// Adds an exception, unless that exception object is present: a rethrown one counts once.
  void add_new(const std::exception_ptr& exception) noexcept;

  /// Adds all exceptions of the other.
  void take(failures& other) noexcept;

  [[nodiscard]] bool empty() const noexcept { return !first_; }
  [[nodiscard]] std::size_t size() const noexcept {
    return first_ ? 1 + (others_ ? others_->size() : 0) : 0;
  }
  [[nodiscard]] const std::exception_ptr& operator[](std::size_t index) const noexcept {
    return index == 0 ? first_ : (*others_)[index - 1];
  }

  /// Throws one exception unchanged, or several as a `dispatch_error`. Returns if there is none.
  void throw_any() {
    if (first_) [[unlikely]]
      throw_all();
  }

 private:
  void add_behind(std::exception_ptr exception) noexcept;
  [[noreturn]] void throw_all();

  std::exception_ptr first_;
  std::vector<std::exception_ptr>* others_;  // has a value, maybe null, while there is a first one
};

}  // namespace msgbus::detail
