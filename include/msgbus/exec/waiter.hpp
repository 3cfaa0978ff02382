#pragma once

/// The former name of `one_shot_event`.

#include <msgbus/exec/one_shot_event.hpp>

namespace msgbus::exec {

class waiter final : public one_shot_event {
 public:
  void wake() noexcept { set(); }
  [[nodiscard]] bool woken() const noexcept { return is_set(); }
};

}  // namespace msgbus::exec
