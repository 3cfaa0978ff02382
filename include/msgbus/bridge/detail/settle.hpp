#pragma once

/// What to tell a stream of a message once its handlers have ended. Pure: no clock, no transport.

#include <msgbus/observe/outcomes.hpp>

#include <chrono>
#include <cstddef>

namespace msgbus::bridging {

/// How often a message may fail, and how far apart it is tried.
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

/// Whether a message with this outcome has failed: a handler did, or `ran` says that none took it.
/// Nothing else uses up a try.
[[nodiscard]] bool is_failure(outcome what, std::size_t ran) noexcept;

/// What became of it (handled, failed, dropped or abandoned), how many handlers ran, how often it
/// has failed or, where it has not, was handed back, this time included, and a random number from 0
/// to 1. Abandoned says nothing about the message: it is delivered elsewhere at once. What a full
/// mailbox dropped comes again after a pause, also where failures have none.
[[nodiscard]] settlement settle(outcome what, std::size_t ran, unsigned times,
                                const redelivery_rule& rule, double random) noexcept;

/// The pause before a message comes again that this process cannot take now.
[[nodiscard]] std::chrono::nanoseconds hand_back_pause(std::chrono::nanoseconds wanted) noexcept;

}  // namespace msgbus::bridging
