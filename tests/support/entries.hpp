#pragma once

// Entries of the routing core, without a callable.

#include <msgbus/detail/routing/entry.hpp>

#include <string>
#include <utility>

namespace msgbus_test {

/// An entry that counts the destructions of its callable in `*destroyed`.
template <class Base>
class bare : public Base {
 public:
  template <class... Args>
  explicit bare(int* destroyed, Args&&... args)
      : Base(std::forward<Args>(args)...), destroyed_(destroyed) {}

  [[nodiscard]] std::string describe() const override { return "bare"; }

 private:
  void destroy_callable() noexcept override {
    if (destroyed_) ++*destroyed_;
  }

  int* destroyed_;
};

}  // namespace msgbus_test
