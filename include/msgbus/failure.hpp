#pragma once

/// How a message fails, for the hooks of failures and for callers that a policy refuses.

#include <msgbus/detail/core/config.hpp>
#include <msgbus/error.hpp>
#include <msgbus/retry.hpp>

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

/// `circuit_open` or `rate_limited`, with the time after which it makes sense to try again.
class refused_error : public error, public retry_hint {
 public:
  refused_error(errc code, const std::string& text, std::chrono::steady_clock::duration after)
      : error(code, text), retry_hint(after) {}
};

namespace async {
using msgbus::failure;
using msgbus::refused_error;
}  // namespace async

}  // namespace msgbus
