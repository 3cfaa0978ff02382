#pragma once

/// A service in another process.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/bridge/remote_error.hpp>
#include <msgbus/detail/bridge/call.hpp>
#include <msgbus/detail/bridge/commands.hpp>
#include <msgbus/explanation.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace msgbus {

/// Calls the operations that a process serves on `<prefix>.<name>`. Copies are cheap. It may
/// outlive the bridge; calls then throw `closed`. Thread-safe.
class remote_service {
 public:
  /// Calls over this bridge. Throws: `invalid_topic`.
  remote_service(const bridge& over, std::string prefix, call_options options = {});

  /// Executes an operation and returns its result; with `R = void` the result is discarded. The
  /// arguments are encoded before the call returns the awaitable.
  ///
  /// Completes: when the reply has arrived.
  /// Throws: (B6) `remote_error` with the exception of the handler; `bad_arguments`; `no_handler`
  /// if no process serves the operation; `timed_out` or `disconnected`, after which the operation
  /// may have been executed; `decode_failed` if the reply is no `R`; `closed`; `full` and
  /// `transport_failed` if the request cannot be sent; `circuit_open` of the policy's breaker.
  /// `invalid_topic` and `encode_failed` before it returns the awaitable.
  /// Cancellation: throws Asio's `operation_aborted`; the operation is still executed.
  /// Executor: the caller's.
  template <class R = void, class... Args>
  [[nodiscard]] asio::awaitable<R> execute(std::string_view name, Args&&... args) const {
    detail::encoded arguments = bridging::write_arguments<bridging::wire_argument<Args>...>(
        options_.encoding, bridging::wire_argument<Args>(std::forward<Args>(args))...);
    bridging::call asked = make_call(name, std::move(arguments));
    return asked.policy() ? finish_by_policy<R>(std::move(asked)) : finish<R>(std::move(asked));
  }

  /// The prefix of the operations' topics.
  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }

 private:
  friend explanation explanation_of(const remote_service& component, std::string_view name);

  [[nodiscard]] bridging::call make_call(std::string_view name, detail::encoded arguments) const;

  template <class R>
  static R read(const envelope& answer) {
    if constexpr (!std::is_void_v<R>) {
      return codec<R>::decode(answer.payload, bridging::header_of(answer, header::content_type));
    }
  }

  // Its frame must stay small: Asio keeps the memory of frames of up to 1020 bytes for the next
  // one.
  template <class R>
  static asio::awaitable<R> finish(bridging::call asked) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    asked.start(here);
    co_await asked.wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return read<R>(asked.take(state));
  }

  template <class R>
  static asio::awaitable<R> finish_by_policy(bridging::call asked) {
    auto by_policy = bridging::call_by_policy(std::move(asked));
    const envelope answer = co_await std::move(by_policy);
    co_return read<R>(answer);
  }

  std::shared_ptr<bridging::hub> hub_;
  std::string prefix_;
  call_options options_;
  std::shared_ptr<const call_policy> policy_;           // null: it asks for nothing
  std::shared_ptr<bridging::remote_prefix> described_;  // of all copies
};

}  // namespace msgbus
