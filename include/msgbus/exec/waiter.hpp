#pragma once

/// One coroutine that waits for something that others make happen.

#include <msgbus/exec/context_link.hpp>

#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <optional>

namespace msgbus::exec {

/// A place to wait, usable once. `wait` is awaited by one coroutine, `wake` is called by anybody,
/// before or after; the coroutine resumes on its own executor. A cancelled wait ends as if woken:
/// whoever waits looks at the cancellation state before taking anything, which is what makes waits
/// lose nothing.
///
/// States: fresh -> waiting (the handler is stored) -> woken, or fresh -> woken. Who makes `woken`
/// out of `waiting` owns the handler: who wakes, while the coroutine's context is kept from ending,
/// or else the end of that context.
class waiter final : private context_link {
 public:
  waiter() = default;

  /// Completes when `wake` has been called, or the wait is cancelled; without an error. Never
  /// throws. If the caller's context is destroyed, so is the waiting coroutine.
  asio::awaitable<void> wait();

  /// From any thread; the first call counts. Afterwards the waiter may be gone.
  void wake() noexcept;

  [[nodiscard]] bool woken() const noexcept {
    return state_.load(std::memory_order_acquire) == state::woken;
  }

 private:
  enum class state { fresh, waiting, woken };
  using handler = asio::async_result<std::decay_t<asio::use_awaitable_t<>>, void()>::handler_type;

  void start(handler&& waiting);
  void context_ended() noexcept override;

  std::atomic<state> state_{state::fresh};
  std::optional<handler> handler_;
};

}  // namespace msgbus::exec
