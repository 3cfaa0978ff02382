#pragma once

/// To what an awaited verb gives its message: one component, or all that are bound to another.

#include <msgbus/core/type_key.hpp>
#include <msgbus/observe/observer.hpp>

namespace msgbus::async::detail {

class verb_run;

class verb_target {
 public:
  /// Has each component deliver the message; what must be awaited is left to the run.
  virtual void give(verb_run& run) = 0;

  /// The verb has ended well, and no handler ran. `refused`: some subscriber has the topic, and
  /// does not take the type.
  virtual void nothing_ran(const msgbus::step& message, value_ref what, bool refused) = 0;

 protected:
  ~verb_target() = default;
};

}  // namespace msgbus::async::detail
