#pragma once

/// The state that a bridge, its links and remote services share: the connection, and requests over
/// it.

#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/tracer.hpp>
#include <msgbus/transport/transport.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace msgbus::bridging {

class reply_sink;

/// Thread-safe.
class hub {
 public:
  using failure_listener = std::function<void(std::string_view, const std::exception_ptr&)>;

  hub(std::shared_ptr<transport::transport> over, failure_listener on_failure);
  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;
  ~hub();

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept {
    return wire->get_executor();
  }

  /// Reports a failure without a caller to the user.
  void failed(std::string_view where, const std::exception_ptr& failure) const noexcept;

  /// The replies to requests, to which the hub listens from now on. Throws `closed`.
  [[nodiscard]] std::shared_ptr<reply_sink> listen();

  /// The tracer for spans; null: none.
  void trace(std::shared_ptr<tracer> to);
  [[nodiscard]] std::shared_ptr<tracer> traced_by() const;

  /// Pending and new requests fail with `closed`.
  void close() noexcept;

  const std::shared_ptr<transport::transport> wire;
  /// The coroutines and deliveries that `drain` waits for; they may outlive the hub.
  const std::shared_ptr<exec::wait_group> busy = std::make_shared<exec::wait_group>();
  id_source ids;

 private:
  const failure_listener on_failure_;
  mutable std::mutex mutex_;
  std::atomic<bool> is_traced_{false};
  std::shared_ptr<tracer> tracer_;
  std::shared_ptr<reply_sink> reply_sink_;  // after the first request
  bool closed_ = false;
};

/// Starts work without a caller; its exception is reported as a failure of `where`.
void launch(std::shared_ptr<hub> on, const asio::any_io_executor& executor, std::string where,
            asio::awaitable<void> work);

}  // namespace msgbus::bridging
