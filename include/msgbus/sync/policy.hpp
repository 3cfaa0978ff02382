#pragma once

/// How one handler of a sync component is run: the parts of a policy that need no executor.

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/deduplicate.hpp>
#include <msgbus/rate_limit.hpp>
#include <msgbus/retry.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace msgbus::sync {

namespace detail {

/// A member of the async family's policies that means nothing here. It says so to who sets it.
struct needs_executor {
  constexpr needs_executor() noexcept = default;
  template <class T>
  constexpr needs_executor(const T&) {
    static_assert(sizeof(T) == 0,
                  "msgbus: a sync handler runs on its caller's thread, which does not wait: what "
                  "needs an executor, a pause or a deadline is for msgbus::async");
  }
};

}  // namespace detail

/// Repeats a handler that fails, at once. As `msgbus::retry`, without its pauses.
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
/// members and their order are those of `async::policy`: deduplication is around the rate limit,
/// that is around the retries, they are around the breaker, and that is around the dependencies and
/// the handler (P1). Nobody waits: where a message of the async family would, the verb throws
/// `rate_limited` or `circuit_open` (a `refused_error`), or `in_flight`. Time is the steady
/// clock's.
struct policy {
  detail::needs_executor executor = {};
  detail::needs_executor max_concurrent = {};
  detail::needs_executor semaphore = {};
  detail::needs_executor timeout = {};
  std::shared_ptr<circuit_breaker> breaker = {};
  sync::retry retry = {};
  detail::needs_executor deadline = {};
  msgbus::rate_limit rate_limit = {};
  msgbus::deduplicate deduplicate = {};  ///< not for operations: their callers want a result
  detail::needs_executor dead_letters = {};
};

}  // namespace msgbus::sync
