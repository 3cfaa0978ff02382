#pragma once

/// The access of the library to a rate limiter, for calls of handlers.

#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/token_bucket.hpp>

#include <exception>

namespace msgbus {
class rate_limiter;
}  // namespace msgbus

namespace msgbus::detail {

/// Waiting messages are in line: only the first of them asks for a permit.
struct limiter_access {
  using duration = token_bucket::duration;
  using time_point = token_bucket::time_point;

  /// The result for a message: a permit; a place in line, which ends with `take` or `leave_line`;
  /// or a refusal, because the wait, `after`, is too long.
  struct answer {
    enum class kind { taken, in_line, refused } result;
    duration after;
  };
  /// Takes a permit, if one is available and no message is in line.
  [[nodiscard]] static bool try_take(rate_limiter& from, time_point now);
  /// The wait of one more message.
  [[nodiscard]] static duration wait(const rate_limiter& of, time_point now);
  [[nodiscard]] static answer enter(rate_limiter& to, time_point now, duration at_most);

  /// For the first in line: zero if it has taken a permit and left the line, otherwise its wait.
  [[nodiscard]] static duration take(rate_limiter& from, time_point now);
  static void leave_line(rate_limiter& of) noexcept;

  /// The error `rate_limited`, with the time after which a permit is expected.
  [[nodiscard]] static std::exception_ptr refusal(duration after);

  [[nodiscard]] static attached_waiters& waiting(rate_limiter& of) noexcept;
};

}  // namespace msgbus::detail
