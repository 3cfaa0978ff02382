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
#include <string_view>
#include <utility>

namespace msgbus {
struct call_policy;
}  // namespace msgbus

namespace msgbus::transport {
template <class Answer>
class reply;
}  // namespace msgbus::transport

namespace msgbus::bridging {

struct reply_or_end;

/// The settings with which a remote service calls an operation.
struct call_settings {
  std::size_t prefix;  // the name of the operation is the part of the topic after that and a dot
  std::chrono::steady_clock::duration timeout;
  bool has_headers;                           // those of the library
  std::shared_ptr<const call_policy> policy;  // null: it has no effect
  measured_operation* times = nullptr;        // of the hub; null: it is not measured
};

/// Lives in the frame of one coroutine; its destruction ends the request on this side. Call in this
/// order:
///
///     asked.start(here);
///     co_await asked.wait();
///     const auto state = co_await asio::this_coro::cancellation_state;
///     envelope& answer = asked.take(state);
class call {
 public:
  /// `span`: the one of the call; null: it has none.
  call(std::shared_ptr<hub> over, envelope request, call_settings settings,
       std::shared_ptr<detail::active_span> span = nullptr)
      : hub_(std::move(over)),
        request_(std::move(request)),
        settings_(std::move(settings)),
        span_(std::move(span)) {}
  call(call&& other) noexcept = default;
  ~call();

  /// The policy of the call; null: none.
  [[nodiscard]] const std::shared_ptr<const call_policy>& policy() const noexcept {
    return settings_.policy;
  }
  /// The name of the operation.
  [[nodiscard]] std::string_view operation() const noexcept {
    return std::string_view(request_.topic).substr(settings_.prefix + 1);
  }
  /// The same request for another attempt, with this deadline.
  [[nodiscard]] call again(std::chrono::steady_clock::time_point until) const {
    call other(hub_, request_, settings_, span_);
    other.until_ = until;
    return other;
  }

  /// Sends the request, with the time that is left to the work on `here`, the caller's executor
  /// (P7). Throws: `closed`; `timed_out` if no time is left; the errors of the transport.
  void start(const asio::any_io_executor& here);

  /// Completes: when the reply has arrived, will not arrive, or the time has passed; never inline.
  [[nodiscard]] asio::awaitable<void> wait();

  /// The reply of a service that has executed the request; this keeps it. Throws: the error in the
  /// reply; `timed_out`; `no_handler` if no process serves the operation; `disconnected`; `closed`;
  /// `operation_aborted` if `state` shows that the caller is cancelled.
  [[nodiscard]] envelope& take(const asio::cancellation_state& state);

 private:
  void limit(std::chrono::steady_clock::time_point until,
             std::chrono::steady_clock::time_point now);
  [[nodiscard]] envelope& answer(const asio::cancellation_state& state);

  std::shared_ptr<hub> hub_;
  envelope request_;
  call_settings settings_;
  std::shared_ptr<detail::active_span> span_;  // ends with the last attempt
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::duration waits_ = {};         // for the reply
  std::shared_ptr<reply_sink> in_;                         // null until it is started
  std::shared_ptr<transport::reply<reply_or_end>> reply_;  // the same
  std::uint64_t number_ = 0;
  std::int64_t began_ = 0;  // if it is measured
};

/// Calls the operation with its policy.
///
/// Completes: with the reply.
/// Throws: as `call::take`, of the last attempt; `circuit_open`; the exceptions of the policy's
/// functions.
/// Cancellation: throws `operation_aborted`.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<envelope> call_by_policy(call first);

}  // namespace msgbus::bridging
