#pragma once

/// A plain function on another executor, while a coroutine waits for its end: one hop there, and
/// one back. What has to be awaited needs a coroutine there: `exec::task_group`.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <exception>
#include <functional>

namespace msgbus::async::detail {

/// How it ended.
struct offloaded {
  /// What the function threw, or that it never began; null if it ended well.
  std::exception_ptr failure;
  /// The executor's context ended before the function began.
  bool has_lost_context = false;
};

/// Completes when `work` has ended on `on` and is destroyed; the caller resumes on its own
/// executor. `work` must own what it refers to, since it outlives a caller whose context is
/// destroyed (A12). Cancellation: a function that has not begun is given up at once and never
/// begins; for one that has, this waits (A1, A9). Throws nothing.
[[nodiscard]] asio::awaitable<offloaded> offload(asio::any_io_executor on,
                                                 std::function<void()> work);

}  // namespace msgbus::async::detail
