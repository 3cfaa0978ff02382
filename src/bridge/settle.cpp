#include <msgbus/detail/bridge/settle.hpp>

#include <msgbus/detail/policy/backoff.hpp>

#include <algorithm>

namespace msgbus::bridging {

bool is_failure(outcome result, std::size_t ran) noexcept {
  return result == outcome::failed || (result == outcome::handled && ran == 0);
}

settlement settle(outcome result, std::size_t ran, unsigned times, const redelivery_rule& rule,
                  double random) noexcept {
  if (result == outcome::handled && ran > 0) return {settling::ack, {}};
  if (result == outcome::abandoned) return {settling::nak, {}};
  if (is_failure(result, ran) && rule.max_deliver != 0 && times >= rule.max_deliver) {
    return {settling::dead_letter, {}};
  }
  const retry pauses{
      .backoff = rule.backoff, .max_backoff = rule.max_backoff, .jitter = rule.jitter};
  const auto pause = backoff_before(std::size_t{times} + 1, pauses, random);
  if (result == outcome::dropped) return {settling::nak, hand_back_pause(pause)};
  return {settling::nak, pause};
}

std::chrono::nanoseconds hand_back_pause(std::chrono::nanoseconds wanted) noexcept {
  constexpr std::chrono::nanoseconds shortest = std::chrono::milliseconds(10);
  return std::max(wanted, shortest);
}

}  // namespace msgbus::bridging
