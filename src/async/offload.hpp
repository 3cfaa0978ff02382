#pragma once

/// Runs a plain function on another executor while a coroutine waits for it: one hop there, and one
/// back. Awaited work there needs a coroutine: `exec::task_group`.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <exception>
#include <functional>

namespace msgbus::async::detail {

/// The outcome.
struct offloaded {
  /// The exception of the function, or the reason why it did not start; null on success.
  std::exception_ptr failure;
  /// The executor's context was destroyed before the function started.
  bool has_lost_context = false;
};

/// Runs `work` on `on`. `work` must own the data that it refers to, since it outlives a caller
/// whose context is destroyed (A12).
///
/// Completes: when `work` has ended and is destroyed.
/// Throws: nothing.
/// Cancellation: a function that has not started never starts, and the wait ends; one that runs is
/// waited for (A1, A9).
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<offloaded> offload(asio::any_io_executor on,
                                                 std::function<void()> work);

}  // namespace msgbus::async::detail
