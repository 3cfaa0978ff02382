#include <msgbus/bridge/detail/settle.hpp>

#include <msgbus/policy/backoff.hpp>

namespace msgbus::bridging {

settlement settle(outcome what, std::size_t ran, unsigned times, const redelivery_rule& rule,
                  double random) noexcept {
  if (what == outcome::handled && ran > 0) return {settling::ack, {}};
  if (what == outcome::abandoned) return {settling::nak, {}};
  if (what != outcome::dropped && rule.max_deliver != 0 && times >= rule.max_deliver) {
    return {settling::bury, {}};
  }
  const retry pauses{
      .backoff = rule.backoff, .max_backoff = rule.max_backoff, .jitter = rule.jitter};
  return {settling::nak, backoff_before(std::size_t{times} + 1, pauses, random)};
}

bool is_worn_out(unsigned times, const redelivery_rule& rule) noexcept {
  return rule.max_deliver != 0 && times > rule.max_deliver;
}

}  // namespace msgbus::bridging
