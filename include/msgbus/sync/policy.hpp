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

namespace detail {

/// A member that only policies of the async family have. Setting it is an error with a sentence.
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

/// The policy of a handler: `consumer.handler(f, {.breaker = bank, .retry = {.attempts = 3}})`. The
/// order of its members is that of `async::policy` (P1), from the outside in: deduplicate, rate
/// limit, retry, breaker, dependencies, handler. No member waits: where a message of the async
/// family would wait, the verb throws `rate_limited` or `circuit_open` (a `refused_error`), or
/// `in_flight`. The clock is the steady clock.
struct policy {
  detail::needs_executor executor = {};
  detail::needs_executor max_concurrent = {};
  detail::needs_executor semaphore = {};
  detail::needs_executor timeout = {};
  std::shared_ptr<circuit_breaker> breaker = {};
  sync::retry retry = {};
  detail::needs_executor deadline = {};
  msgbus::rate_limit rate_limit = {};
  msgbus::deduplicate deduplicate = {};  ///< not for operations, whose callers need a result
  detail::needs_executor dead_letters = {};
};

}  // namespace msgbus::sync
