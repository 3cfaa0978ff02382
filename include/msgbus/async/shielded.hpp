#pragma once

/// An awaitable that cancellation does not interrupt.

#include <msgbus/detail/component/inject.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::async {

namespace detail {

asio::awaitable<void> run_shielded(asio::awaitable<void> work);

template <class T>
asio::awaitable<void> keep_result(asio::awaitable<T> work,
                                  std::shared_ptr<component::result_of<T>> result) {
  T value = co_await std::move(work);
  auto give = [&]() -> T { return std::forward<T>(value); };
  result->run(give);
}

template <class T>
asio::awaitable<T> give_shielded(asio::awaitable<T> work) {
  auto result = std::make_shared<component::result_of<T>>();
  auto running = run_shielded(keep_result<T>(std::move(work), result));
  co_await std::move(running);
  co_return result->take();
}

}  // namespace detail

/// Runs the awaitable to its end, even if the caller is cancelled meanwhile. Use it for work that
/// must not stop halfway, and for awaited clean-up:
///
///     co_await asio::this_coro::throw_if_cancelled(false);  // this coroutine has been cancelled
///     auto good_bye = say_good_bye();
///     co_await msgbus::async::shielded(std::move(good_bye));
///
/// The first line is needed only in a coroutine that was cancelled before: every `co_await` would
/// throw otherwise. The work has its own cancellation state, so everything that it awaits continues
/// as well.
///
/// Completes: with the result of the work, when that has ended.
/// Throws: the exception of the work.
/// Cancellation: is kept. Afterwards the caller's `cancellation_state` shows it, and the next
/// `co_await` throws as usual.
/// Executor: the work runs on the caller's, and the caller resumes there. Destroying the execution
/// context destroys both.
template <class T>
[[nodiscard]] asio::awaitable<T> shielded(asio::awaitable<T> work) {
  if constexpr (std::is_void_v<T>) {
    return detail::run_shielded(std::move(work));
  } else {
    return detail::give_shielded<T>(std::move(work));
  }
}

}  // namespace msgbus::async
