#pragma once

/// One attempt of a handler: here, or on its policy's executor, for a limited time.

#include <msgbus/detail/exec/clock.hpp>

#include "async/attempts.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace msgbus::async::detail {

/// The time limit of an attempt, with its reason.
struct attempt_limit {
  exec::clock::duration at_most;
  const char* reason;           // for errors: the limit that says so
  exec::clock::duration asked;  // by the policy
};

/// How long an attempt that begins now may take; `until`: when all attempts must have ended.
[[nodiscard]] std::optional<attempt_limit> limit_of(const stored_policy& policy,
                                                    exec::clock::time_point until,
                                                    exec::clock::time_point now);

/// The end of an attempt.
struct attempt_end {
  failures failed;
  bool has_run = false;    // the handler has begun
  bool may_repeat = true;  // false: its executor's context has gone
};

/// Replaces the exceptions of an attempt by `timed_out`.
void replace_by_too_slow(failures& failed, const routing::entry& handler, bool has_run,
                         const attempt_limit& limit);

/// Throws `closed` if the handler was cancelled while its message waited: it is not started (D6).
void check_active(const handler_run& run);

/// Runs it in this coroutine. Throws nothing.
[[nodiscard]] asio::awaitable<void> run_here(const handler_run& run, msgbus::context ctx,
                                             attempt_end& end);

/// Runs it on the policy's executor, or the component's, and cancels it when its time is over.
/// Throws the exceptions of the wait for a permit. An attempt that the verb's cancellation has
/// ended did not exceed its time.
[[nodiscard]] asio::awaitable<void> run_elsewhere(std::shared_ptr<const handler_run> run,
                                                  msgbus::context ctx,
                                                  std::optional<attempt_limit> limit,
                                                  attempt_end& end);

}  // namespace msgbus::async::detail
