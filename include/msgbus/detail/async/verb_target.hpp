#pragma once

/// The target of an awaited verb: one component, or all components that are bound to a sender.

#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/observer.hpp>

namespace msgbus::async::detail {

class verb_run;

class verb_target {
 public:
  /// Delivers the message in each component; work that must be awaited is left to the run.
  virtual void give(verb_run& run) = 0;

  /// The verb has succeeded, and no handler ran. `refused`: a subscriber has the topic, but accepts
  /// no such type.
  virtual void nothing_ran(const msgbus::step& message, value_ref value, bool refused) = 0;

 protected:
  ~verb_target() = default;
};

}  // namespace msgbus::async::detail
