#pragma once

// An executor over another one. A test can check whether copies of it exist.

#include <asio/any_io_executor.hpp>
#include <asio/execution.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus_test {

class watched_executor {
 public:
  // No constructor: Asio would ask whether a copy is made by converting to `any_io_executor`.
  [[nodiscard]] static watched_executor over(const asio::any_io_executor& base) {
    return {base, std::make_shared<int>()};
  }

  /// Expired when the last copy has been destroyed.
  [[nodiscard]] std::weak_ptr<void> copies() const { return copies_; }

  // Asio's requirements for an executor.
  template <class F>
  void execute(F&& f) const {
    over_.execute(std::forward<F>(f));
  }
  asio::execution_context& query(asio::execution::context_t) const noexcept {
    return asio::query(over_, asio::execution::context);
  }
  asio::execution::blocking_t query(asio::execution::blocking_t) const {
    return asio::query(over_, asio::execution::blocking);
  }
  watched_executor require(asio::execution::blocking_t::never_t never) const {
    return {asio::require(over_, never), copies_};
  }
  watched_executor require(asio::execution::blocking_t::possibly_t possibly) const {
    return {asio::prefer(over_, possibly), copies_};
  }
  friend bool operator==(const watched_executor& a, const watched_executor& b) noexcept {
    return a.over_ == b.over_ && a.copies_ == b.copies_;
  }
  friend bool operator!=(const watched_executor& a, const watched_executor& b) noexcept {
    return !(a == b);
  }

 private:
  watched_executor(asio::any_io_executor base, std::shared_ptr<int> copies)
      : over_(std::move(base)), copies_(std::move(copies)) {}

  asio::any_io_executor over_;
  std::shared_ptr<int> copies_;
};

}  // namespace msgbus_test
