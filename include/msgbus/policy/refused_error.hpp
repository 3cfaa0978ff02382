#pragma once

/// The exception of a policy that lets a message through later, but not now.

#include <msgbus/core/error.hpp>
#include <msgbus/policy/retry.hpp>

namespace msgbus {

/// `circuit_open` or `rate_limited`, with the time after which it makes sense to try again.
class refused_error : public error, public retry_hint {
 public:
  refused_error(errc code, const std::string& text, std::chrono::steady_clock::duration after)
      : error(code, text), retry_hint(after) {}
};

namespace async {
using msgbus::refused_error;
}  // namespace async

}  // namespace msgbus
