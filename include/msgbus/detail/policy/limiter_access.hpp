#pragma once

/// How handlers are run through a rate limiter.

#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/token_bucket.hpp>

#include <exception>

namespace msgbus {
class rate_limiter;
}  // namespace msgbus

namespace msgbus::detail {

/// Those that wait are in line: only the first of them asks for a permit.
struct limiter_access {
  using duration = token_bucket::duration;
  using time_point = token_bucket::time_point;

  /// What a message gets: a permit; a place in line, to be given up by `take` or `leave_line`; or
  /// nothing, since `after` is too long.
  struct answer {
    enum class kind { taken, in_line, refused } result;
    duration after;
  };
  /// A permit, if there is one that nobody waits for.
  [[nodiscard]] static bool try_take(rate_limiter& from, time_point now);
  /// How long one more would have to wait.
  [[nodiscard]] static duration wait(const rate_limiter& of, time_point now);
  [[nodiscard]] static answer enter(rate_limiter& to, time_point now, duration at_most);

  /// For the first in line: zero if it has taken a permit and left the line, or how long to wait.
  [[nodiscard]] static duration take(rate_limiter& from, time_point now);
  static void leave_line(rate_limiter& of) noexcept;

  /// `rate_limited`, with the time after which it would work.
  [[nodiscard]] static std::exception_ptr refusal(duration after);

  [[nodiscard]] static attached_waiters& waiting(rate_limiter& of) noexcept;
};

}  // namespace msgbus::detail
