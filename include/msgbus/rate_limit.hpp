#pragma once

/// A rate limit: the number of messages in a time.

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/token_bucket.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>

namespace msgbus {

class rate_limiter;

namespace detail {
struct limiter_access;
}  // namespace detail

/// A token bucket: `{.permits = 100, .per = 1s, .burst = 20}`. Each message takes one permit,
/// however many attempts it needs. Without a permit, messages wait in their mailbox, and awaited
/// verbs wait no longer than `policy::deadline`, first come first served. A verb that would wait
/// longer fails immediately with `rate_limited` (a `refused_error`, with the time after which it
/// may be repeated).
struct rate_limit {
  std::size_t permits = 0;  ///< 0: no limit
  detail::duration_option per =
      std::chrono::seconds(1);  ///< the time in which they come back, evenly; above zero
  std::size_t burst = 0;        ///< the most after a pause; 0: `permits`
  std::shared_ptr<rate_limiter> limiter = {};  ///< shared by several handlers, instead of the above

  /// Whether it has no effect (P9).
  [[nodiscard]] bool is_plain() const noexcept { return permits == 0 && !limiter; }
};

/// A limit that several handlers share: `{.rate_limit = {.limiter = limiter}}`. For any thread.
class rate_limiter {
 public:
  /// Throws: `bad_arguments` without permits, for a time `per` that is not above zero, and for
  /// another limiter.
  explicit rate_limiter(const rate_limit& settings);
  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;
  ~rate_limiter() = default;

  /// The number of messages that wait for a permit.
  [[nodiscard]] std::size_t waiting() const;

 private:
  friend detail::limiter_access;

  mutable std::mutex mutex_;
  detail::token_bucket bucket_;    // under the mutex
  std::size_t waiting_count_ = 0;  // likewise
  detail::attached_waiters waiting_;
};

namespace async {
using msgbus::rate_limit;
using msgbus::rate_limiter;
}  // namespace async

}  // namespace msgbus
