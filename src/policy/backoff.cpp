#include <msgbus/policy/backoff.hpp>

#include <algorithm>

namespace msgbus {

std::chrono::steady_clock::duration backoff_before(std::size_t next, const retry& how,
                                                   double random) noexcept {
  using duration = std::chrono::steady_clock::duration;
  duration pause = std::min(how.backoff, how.max_backoff);
  for (std::size_t n = 2; n < next && pause < how.max_backoff; ++n) {
    pause = pause > how.max_backoff / 2 ? how.max_backoff : pause * 2;
  }
  const double part = std::clamp(how.jitter, 0.0, 1.0);
  const double scale = 1.0 - part + part * std::clamp(random, 0.0, 1.0);
  return std::chrono::duration_cast<duration>(pause * scale);
}

}  // namespace msgbus
