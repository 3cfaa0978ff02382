#pragma once

// Handlers as the routing core knows them, without anything to call.

#include <msgbus/detail/routing/entry.hpp>

#include <string>
#include <utility>

namespace msgbus_test {

/// A kind of entry that counts in `*destroyed` how often its callable was destroyed.
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
