#pragma once

/// Asio's `operation_aborted`, and the wait for the last call of a cancelled handler.

#include <msgbus/subscription.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>

#include <exception>

namespace msgbus::exec {

/// Recognises Asio's `operation_aborted`. False for null.
[[nodiscard]] bool is_aborted(const std::exception_ptr& thrown) noexcept;

/// An `operation_aborted` with the name of the wait.
[[nodiscard]] std::exception_ptr aborted(const char* wait) noexcept;
[[noreturn]] void throw_aborted(const char* wait);

/// Throws if the coroutine with this state was cancelled. Call it after each wait, before the
/// coroutine takes anything: a cancelled wait has then taken nothing (A9).
///
///     const auto state = co_await asio::this_coro::cancellation_state;
///     exec::throw_if_aborted(state, "send");
inline void throw_if_aborted(const asio::cancellation_state& state, const char* wait) {
  if (state.cancelled() != asio::cancellation_type::none) [[unlikely]]
    throw_aborted(wait);
}

}  // namespace msgbus::exec

namespace msgbus::detail {

/// The implementation of `subscription::cancelled`.
[[nodiscard]] asio::awaitable<void> until_cancelled(in_async, subscription waited_for);

}  // namespace msgbus::detail
