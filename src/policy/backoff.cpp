#include <msgbus/policy/backoff.hpp>

#include <algorithm>
#include <random>

namespace msgbus::detail {

std::chrono::steady_clock::duration backoff_before(std::size_t next, const retry& settings,
                                                   double random) noexcept {
  using duration = std::chrono::steady_clock::duration;
  const duration first = settings.backoff;
  const duration longest = settings.max_backoff;
  duration pause = std::max(std::min(first, longest), duration::zero());
  for (std::size_t n = 2; n < next && pause < longest; ++n) {
    pause = pause > longest / 2 ? longest : pause * 2;
  }
  // What is taken away is scaled, not what is left: the longest pause has no exact double.
  const double less = std::clamp(settings.jitter, 0.0, 1.0) * (1.0 - std::clamp(random, 0.0, 1.0));
  if (less >= 1.0) return duration::zero();
  return pause - std::chrono::duration_cast<duration>(pause * less);
}

double random_part() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace msgbus::detail
