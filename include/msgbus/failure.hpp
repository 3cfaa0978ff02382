#pragma once

/// Failures of messages, for `on_failed`, and refusals by a policy, for callers.

#include <msgbus/detail/core/config.hpp>
#include <msgbus/error.hpp>
#include <msgbus/retry.hpp>

#include <exception>
#include <iosfwd>
#include <string_view>

namespace msgbus {

/// A failure, for `on_failed`. It refers to its message: copy the members that must live longer.
struct failure {
  /// The exception of the handler's last attempt; a `dispatch_error` if several handlers failed.
  std::exception_ptr error;
  std::string_view topic;       ///< empty for an event
  std::string_view message_id;  ///< empty for a message that never left the process
};
std::ostream& operator<<(std::ostream& out, const failure& value);

/// The error `circuit_open` or `rate_limited`, with the time after which another attempt makes
/// sense.
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
