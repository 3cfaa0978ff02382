#pragma once

/// The policy of one handler of a sync component: the parts that need no executor.

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/deduplicate.hpp>
#include <msgbus/rate_limit.hpp>
#include <msgbus/retry.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace msgbus::sync {

class dead_letters;

namespace detail {

/// A member that only policies of the async family have. Setting it is an error with a sentence.
struct needs_executor {
  constexpr needs_executor() noexcept = default;
  template <class T>
  constexpr needs_executor(const T&) {
    static_assert(sizeof(T) == 0,
                  "msgbus: a sync handler runs on its caller's thread, which does not wait: what "
                  "needs an executor, a pause, a deadline or a database is for msgbus::async");
  }
};

}  // namespace detail

/// Repeats a handler that fails, as `msgbus::retry` but without pauses.
struct retry {
  std::size_t attempts = 1;  ///< in all; 1 is no retry
  detail::needs_executor backoff = {};
  detail::needs_executor max_backoff = {};
  detail::needs_executor jitter = {};
  std::function<bool(const std::exception_ptr&)> if_ = {};
  detail::needs_executor kind = {};
  detail::needs_executor hold_order = {};
};

/// Given with a handler: `consumer.handler(f, {.breaker = bank, .retry = {.attempts = 3}})`. The
/// members and their order are those of `async::policy`: dead letters are around deduplication,
/// that is around the rate limit, that is around the retries, they are around the breaker, and that
/// is around the dependencies and the handler (P1). Nobody waits: where a message of the async
/// family would, the verb throws `rate_limited` or `circuit_open` (a `refused_error`), or
/// `in_flight`. Time is the steady clock's. A value that means nothing is refused with
/// `bad_arguments`, as there.
struct policy {
  detail::needs_executor once = {};
  detail::needs_executor executor = {};
  detail::needs_executor max_concurrent = {};
  detail::needs_executor semaphore = {};
  detail::needs_executor timeout = {};
  std::shared_ptr<circuit_breaker> breaker = {};
  sync::retry retry = {};
  detail::needs_executor deadline = {};
  msgbus::rate_limit rate_limit = {};
  msgbus::deduplicate deduplicate = {};  ///< not for operations, whose callers need a result
  /// Keeps a copy of each message that the verb throws for, because of this handler. The handler
  /// names the types of its messages, and they can be copied: otherwise, and for an operation, it
  /// is refused with `unsupported`.
  std::shared_ptr<sync::dead_letters> dead_letters = {};
};

}  // namespace msgbus::sync
