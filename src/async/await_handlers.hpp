#pragma once

/// The one loop that awaits handlers.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/verb_call.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace msgbus::async::detail {

/// Awaits the handlers of `owner.in_hand()` until none is left. The `Owner`, constructed from the
/// argument, lives in the coroutine's frame, and is one of
///
/// - the caller of a verb, which cannot be cancelled while handlers run in its coroutine: `begin`
///   says whether there is a run in hand, and `ended` gives the verb's result;
/// - a task or a consumer loop: a coroutine that the library has spawned. The run has begun.
///
/// A handler may change the cancellation state of its coroutine, but only for itself: the owner
/// knows whether the coroutine is cancelled (docs/design/0014-who-knows-of-a-cancellation.md).
template <class Result, class Owner, class Made>
asio::awaitable<Result> await_handlers(Made made) {
  Owner owner(std::move(made));
  bool more = true;
  if constexpr (Owner::is_caller) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    more = owner.begin(here);
    if (more) {
      const auto state = co_await asio::this_coro::cancellation_state;
      more = owner.begin_waiting(state.slot().is_connected());
    }
  }
  while (more) {
    std::exception_ptr failure;
    if constexpr (!Owner::is_caller) co_await asio::this_coro::throw_if_cancelled(true);
    try {
      asio::awaitable<void> started;
      if (Owner::is_caller || owner.in_hand().current == surrounded::by_nothing) [[likely]] {
        started = owner.in_hand().start();
      } else {
        asio::any_io_executor here = co_await asio::this_coro::executor;
        started = owner.in_hand().start_on(here);
      }
      co_await std::move(started);
    } catch (...) {
      failure = std::current_exception();
    }
    if constexpr (!Owner::is_caller) {
      co_await asio::this_coro::throw_if_cancelled(false);
      const auto state = co_await asio::this_coro::cancellation_state;
      if constexpr (Owner::is_loop) {
        owner.in_hand().cancelled = owner.is_cancel_requested();
      } else {
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        owner.in_hand().cancelled = exec::is_cancel_requested(here, state);
      }
      if (!owner.in_hand().cancelled && state.slot().is_connected()) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
      }
    }
    more = owner.in_hand().goes_on(failure) || owner.handler_ended(failure);
  }
  if constexpr (Owner::is_caller) {
    bool cancel_requested = false;
    if (owner.must_wait()) {
      if (owner.can_be_cancelled()) {
        // Cancelled or not, all started runs are waited for (A1).
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await owner.together().join();
        co_await asio::this_coro::throw_if_cancelled(throws);
        const auto state = co_await asio::this_coro::cancellation_state;
        cancel_requested = state.cancelled() != asio::cancellation_type::none;
      } else {
        while (exec::one_shot_event* const done = owner.together().until_done()) {
          try {
            co_await done->wait();
          } catch (const std::bad_alloc&) {
            continue;  // the runs are waited for in any case
          }
        }
      }
    }
    co_return owner.ended(cancel_requested);
  }
}

/// The common part of tasks and loops.
inline bool go_on(component_run& d, const std::exception_ptr& failure) {
  d.component->handler_ended(d, failure);
  return d.component->advance(d);
}

/// A run that a consumer loop handles. `Message` owns it.
template <class Message>
struct in_loop {
  explicit in_loop(Message&& handled) noexcept : message(std::move(handled)) {}
  static constexpr bool is_caller = false;
  static constexpr bool is_loop = true;

  [[nodiscard]] component_run& in_hand() noexcept { return message.in_hand(); }
  [[nodiscard]] bool is_cancel_requested() noexcept {
    return in_hand().component->mailbox.discards();
  }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure) {
    return go_on(in_hand(), failure);
  }

  Message message;
};

}  // namespace msgbus::async::detail
