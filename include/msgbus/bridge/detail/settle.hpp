#pragma once

/// What to tell a stream of a message once its handlers have ended. Pure: no clock, no transport.

#include <msgbus/observe/outcomes.hpp>

#include <chrono>
#include <cstddef>

namespace msgbus::bridging {

/// How often a message is tried, and how far apart.
struct redelivery_rule {
  unsigned max_deliver = 5;  // 0: for ever
  std::chrono::steady_clock::duration backoff{};
  std::chrono::steady_clock::duration max_backoff{};
  double jitter = 0;
};

enum class settling {
  ack,   // done
  nak,   // again, after `delay`
  bury,  // tried often enough: it goes to the dead letters, and is not delivered again
};

struct settlement {
  settling how = settling::ack;
  std::chrono::nanoseconds delay{};
  friend bool operator==(const settlement&, const settlement&) = default;
};

/// What became of it (handled, failed, dropped or abandoned), how many handlers ran, how often it
/// has been delivered, and a random number from 0 to 1. Handled by nobody is not handled.
/// Abandoned says nothing about the message: somebody else gets it at once.
[[nodiscard]] settlement settle(outcome what, std::size_t ran, unsigned times,
                                const redelivery_rule& rule, double random) noexcept;

/// Whether a message that is delivered for this time has had its tries already: whoever took it
/// before never came to say what became of it.
[[nodiscard]] bool is_worn_out(unsigned times, const redelivery_rule& rule) noexcept;

}  // namespace msgbus::bridging
