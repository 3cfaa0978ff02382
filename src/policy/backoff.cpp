#include <msgbus/policy/backoff.hpp>

#include <algorithm>

namespace msgbus::detail {

std::chrono::steady_clock::duration backoff_before(std::size_t next, const retry& how,
                                                   double random) noexcept {
  using duration = std::chrono::steady_clock::duration;
  duration pause = std::max(std::min(how.backoff, how.max_backoff), duration::zero());
  for (std::size_t n = 2; n < next && pause < how.max_backoff; ++n) {
    pause = pause > how.max_backoff / 2 ? how.max_backoff : pause * 2;
  }
  // What is taken away is scaled, not what is left: the longest pause has no exact double.
  const double less = std::clamp(how.jitter, 0.0, 1.0) * (1.0 - std::clamp(random, 0.0, 1.0));
  if (less >= 1.0) return duration::zero();
  return pause - std::chrono::duration_cast<duration>(pause * less);
}

}  // namespace msgbus::detail
