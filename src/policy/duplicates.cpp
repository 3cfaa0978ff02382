#include <msgbus/detail/policy/duplicates.hpp>

#include <msgbus/detail/core/durations.hpp>

namespace msgbus::detail {

duplicates::seen duplicates::begin(std::string_view key, time_point now) {
  drop_old(now);
  const auto found = keys_.find(key);
  if (found != keys_.end()) return found->second.in_flight ? seen::in_flight : seen::handled;
  in_flight_.emplace_back();
  const auto position = std::prev(in_flight_.end());
  try {
    *position = &keys_.emplace(std::string(key), entry{true, {}, position}).first->first;
  } catch (...) {
    in_flight_.pop_back();
    throw;
  }
  return seen::never;
}

void duplicates::handled(std::string_view key, time_point now) noexcept {
  const auto found = keys_.find(key);
  if (found == keys_.end() || !found->second.in_flight) return;
  found->second.in_flight = false;
  found->second.at = now;
  handled_.splice(handled_.end(), in_flight_, found->second.position);
  drop_old(now);
}

void duplicates::forget(std::string_view key) noexcept {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  (found->second.in_flight ? in_flight_ : handled_).erase(found->second.position);
  keys_.erase(found);
}

bool duplicates::is_in_flight(std::string_view key) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.in_flight;
}

void duplicates::drop_old(time_point now) noexcept {
  while (!handled_.empty()) {
    const auto oldest = keys_.find(*handled_.front());
    const bool is_over = saturating_sub(now, oldest->second.at) >= window_;
    if (!is_over && handled_.size() <= capacity_) return;
    handled_.pop_front();
    keys_.erase(oldest);
  }
}

}  // namespace msgbus::detail
