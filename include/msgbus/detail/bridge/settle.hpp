#pragma once

/// The settlement of a message after its handlers have ended. Pure: no clock, no transport.

#include <msgbus/detail/observe/outcomes.hpp>

#include <chrono>
#include <cstddef>

namespace msgbus::bridging {

/// The limit for failures, and the pauses between attempts.
struct redelivery_rule {
  unsigned max_deliver = 5;  // 0: for ever
  std::chrono::steady_clock::duration backoff{};
  std::chrono::steady_clock::duration max_backoff{};
  double jitter = 0;
};

enum class settling {
  ack,          // done
  nak,          // deliver again, after `delay`
  dead_letter,  // dead-letter it: too many failures
};

struct settlement {
  settling action = settling::ack;
  std::chrono::nanoseconds delay{};
  friend bool operator==(const settlement&, const settlement&) = default;
};

/// Whether a message with this outcome has failed: a handler threw, or `ran` is zero. Nothing else
/// uses up an attempt.
[[nodiscard]] bool is_failure(outcome result, std::size_t ran) noexcept;

/// The settlement for an outcome: handled, failed, dropped or abandoned. `ran` is the number of
/// handlers that ran, and `times` how often the message has failed or, if this outcome is no
/// failure, how often it was given back; this time included. `random` is from 0 to 1. An abandoned
/// message is delivered elsewhere without a pause. A message that a full mailbox dropped has a
/// pause, even if failures have none.
[[nodiscard]] settlement settle(outcome result, std::size_t ran, unsigned times,
                                const redelivery_rule& rule, double random) noexcept;

/// The pause for a message that this process cannot accept now.
[[nodiscard]] std::chrono::nanoseconds hand_back_pause(std::chrono::nanoseconds wanted) noexcept;

}  // namespace msgbus::bridging
