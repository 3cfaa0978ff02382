// The settlement of a durable message, and the count of its attempts. Pure.

#include <msgbus/detail/bridge/settle.hpp>

#include "bridge/tries.hpp"
#include "policy/backoff.hpp"

#include <algorithm>
#include <utility>

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

// --- Tries. --------------------------------------------------------------------------------------

unsigned message_tries::attempt(unsigned times) const noexcept {
  // The stream has forgotten the delivery of which this link knows no outcome any more.
  if (came_before && times == 1 && failures == 0 && handed_back == 0) return 2;
  const unsigned perhaps_handled = times > handed_back ? times - handed_back : 1;
  return std::max(perhaps_handled, failures + 1);
}

unsigned message_tries::unseen(unsigned times) const noexcept {
  const unsigned seen = failures + handed_back + 1;
  return times > seen ? times - seen : 0;
}

message_tries tries::find(std::uint64_t sequence, std::uint64_t of) const {
  const auto found = entries_.find(sequence);
  return found != entries_.end() && found->second.of == of ? found->second.seen : message_tries();
}

template <class Change>
auto tries::change(std::uint64_t sequence, std::uint64_t of, Change change) {
  entry& changed = entries_[sequence];
  if (changed.of != of) changed = {of, {}};
  const auto result = change(changed.seen);
  if (entries_.size() > most_) entries_.erase(entries_.begin());
  return result;
}

unsigned tries::failed(std::uint64_t sequence, std::uint64_t of) {
  return change(sequence, of, [](message_tries& seen) { return ++seen.failures; });
}

unsigned tries::handed_back(std::uint64_t sequence, std::uint64_t of) {
  return change(sequence, of, [](message_tries& seen) { return ++seen.handed_back; });
}

void tries::set_reason(std::uint64_t sequence, std::uint64_t of, std::string reason) {
  change(sequence, of, [&](message_tries& seen) {
    seen.reason = std::move(reason);
    return true;
  });
}

}  // namespace msgbus::bridging
