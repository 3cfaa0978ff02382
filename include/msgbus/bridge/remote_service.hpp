#pragma once

/// A service in another process.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/detail/call.hpp>
#include <msgbus/bridge/detail/commands.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/bridge/remote_error.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace msgbus {

/// Calls what somebody serves at `<prefix>.<name>`. Copies are cheap; it may outlive the bridge,
/// and then throws `closed`. May be used from any thread.
class remote_service {
 public:
  remote_service(const bridge& over, std::string prefix, call_options how = {});

  /// Completes with the operation's result; with `R = void` there is none to decode. Arguments are
  /// encoded before this returns. Throws (B6) `remote_error` with what the handler threw there,
  /// `bad_arguments`, `no_handler` (nobody serves it), `timed_out` (it may have been carried out
  /// all the same), `disconnected` (the connection was lost meanwhile; as before), `decode_failed`
  /// (the answer is no `R`), `closed`. The caller resumes on its own executor. Cancelled it throws
  /// Asio's `operation_aborted`; what runs there goes on.
  template <class R = void, class... Args>
  [[nodiscard]] asio::awaitable<R> execute(std::string_view name, Args&&... args) const {
    payload arguments = bridging::write_arguments<bridging::wire_argument<Args>...>(
        how_.encoding, bridging::wire_argument<Args>(std::forward<Args>(args))...);
    return finish<R>(make_call(name, std::move(arguments)));
  }

  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }

 private:
  [[nodiscard]] bridging::call make_call(std::string_view name, payload arguments) const;

  template <class R>
  static asio::awaitable<R> finish(bridging::call asked) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    asked.start(here);
    co_await asked.wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    const envelope answer = asked.take(state);
    if constexpr (!std::is_void_v<R>) {
      co_return codec<R>::decode(answer.payload, bridging::header_of(answer, header::content_type));
    }
  }

  std::shared_ptr<bridging::hub> hub_;
  std::string prefix_;
  call_options how_;
};

}  // namespace msgbus
