#pragma once

/// The only route of a producer or publisher: the bound components, in order.

#include <msgbus/routing/router.hpp>

namespace msgbus::routing {

class single_route : public router {
 public:
  /// For readers, under a guard.
  [[nodiscard]] const route_entries* entries() const noexcept { return bound_.entries(); }

  /// `make(order)` returns a `shared_ptr` to a kind of `entry`.
  template <class Make>
  auto attach(void (*call)(), Make make) {
    const auto link = [this, call](entry& added, snapshot::retire_list& old) {
      bound_.add({call, &added}, old);
    };
    return std::static_pointer_cast<made_by<Make>>(router::attach(make, link));
  }

 private:
  void unlink(entry& removed, snapshot::retire_list& old) noexcept override {
    bound_.remove(removed, old);
  }

  route bound_;
};

}  // namespace msgbus::routing
