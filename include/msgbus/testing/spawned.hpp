#pragma once

/// An awaitable that runs, with its outcome. For one thread: the thread that runs the executor, or
/// any thread after the executor has stopped.

#include <msgbus/detail/exec/requirements.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace msgbus::testing {

/// The error that an awaitable has not ended, and no work is left that could end it.
class stuck : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Whether a type is an `asio::awaitable`.
template <class T>
inline constexpr bool is_awaitable = false;
template <class T, class Executor>
inline constexpr bool is_awaitable<asio::awaitable<T, Executor>> = true;

namespace detail {

/// Shared by a spawned awaitable and its handle.
template <class T>
struct outcome {
  asio::cancellation_signal cancel;
  bool done = false;
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> result;
};

template <class T>
asio::awaitable<void> keep_result(asio::awaitable<T> operation, std::shared_ptr<outcome<T>> to) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(operation);
    to->result.emplace();
  } else {
    T result = co_await std::move(operation);
    to->result.emplace(std::move(result));
  }
}

[[noreturn]] void throw_not_done();

}  // namespace detail

/// The handle of a running awaitable, which runs on if the handle is destroyed. `T` is movable.
template <class T>
class spawned {
 public:
  /// Starts the awaitable on the executor.
  spawned(const asio::any_io_executor& executor, asio::awaitable<T> operation)
      : outcome_(std::make_shared<detail::outcome<T>>()) {
    asio::co_spawn(executor, detail::keep_result(std::move(operation), outcome_),
                   asio::bind_cancellation_slot(outcome_->cancel.slot(),
                                                [to = outcome_](std::exception_ptr failure) {
                                                  to->failure = std::move(failure);
                                                  to->done = true;
                                                }));
  }
  /// The same on the executor of a context, such as an `asio::io_context`.
  template <exec::execution_context Context>
  spawned(Context& context, asio::awaitable<T> operation)
      : spawned(asio::any_io_executor(context.get_executor()), std::move(operation)) {}

  /// Whether it has ended.
  [[nodiscard]] bool done() const noexcept { return outcome_->done; }

  /// Its exception; null if it has not ended, or succeeded.
  [[nodiscard]] std::exception_ptr failure() const noexcept { return outcome_->failure; }

  /// Its result, once, or its exception. Throws: `stuck` if it has not ended.
  T get() {
    if (!done()) detail::throw_not_done();
    if (outcome_->failure) std::rethrow_exception(outcome_->failure);
    if constexpr (!std::is_void_v<T>) return std::move(*outcome_->result);
  }

  /// Emits a cancellation. By default, an awaitable reacts to `terminal` only.
  void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) {
    outcome_->cancel.emit(type);
  }

 private:
  std::shared_ptr<detail::outcome<T>> outcome_;
};

}  // namespace msgbus::testing
