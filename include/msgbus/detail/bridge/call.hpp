#pragma once

/// One request, from sending to its reply.

#include <msgbus/detail/bridge/hub.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace msgbus::bridging {

struct timed_reply;

/// For one coroutine, in whose frame it is: its destruction ends the request on this side. In this
/// order:
///
///     asked.start(here);
///     co_await asked.wait();
///     const auto state = co_await asio::this_coro::cancellation_state;
///     const envelope answer = asked.take(state);
class call {
 public:
  /// The name of the operation is the part of the topic after `prefix` characters and a dot.
  call(std::shared_ptr<hub> over, envelope request, std::size_t prefix,
       std::chrono::steady_clock::duration timeout)
      : hub_(std::move(over)), request_(std::move(request)), prefix_(prefix), timeout_(timeout) {}
  call(call&& other) noexcept = default;
  ~call();

  /// Sends the request. `here` is the caller's executor. Throws: `closed`; the errors of the
  /// transport.
  void start(const asio::any_io_executor& here);

  /// Completes: when the reply has arrived, will not arrive, or the time has passed; never inline.
  [[nodiscard]] asio::awaitable<void> wait();

  /// The reply of a service that has executed the request. Throws: the error in the reply;
  /// `timed_out`; `no_handler` if no process listens; `disconnected`; `closed`; `operation_aborted`
  /// if `state` shows that the caller is cancelled.
  [[nodiscard]] envelope take(const asio::cancellation_state& state);

 private:
  std::shared_ptr<hub> hub_;
  envelope request_;
  std::size_t prefix_;
  std::chrono::steady_clock::duration timeout_;
  std::shared_ptr<answers> in_;         // null until it is started
  std::shared_ptr<timed_reply> reply_;  // the same
  std::uint64_t key_ = 0;
};

}  // namespace msgbus::bridging
