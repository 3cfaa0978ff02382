#pragma once

/// How a message has finally failed.

#include <msgbus/core/namespaces.hpp>

#include <exception>
#include <string_view>

namespace msgbus {

/// A failure, for `on_failed`. It refers to its message: copy the members that must live longer.
struct failure {
  /// What the handler threw in its last attempt; of several handlers, a `dispatch_error`.
  std::exception_ptr error;
  std::string_view topic;       ///< empty for an event
  std::string_view message_id;  ///< empty for a message that never left the process
};

namespace async {
using msgbus::failure;
}  // namespace async

}  // namespace msgbus
