#pragma once

/// Tells the user what happens to a connection.

#include <msgbus/exec/context_shutdown_hook.hpp>
#include <msgbus/transport/nats.hpp>

#include <asio/any_io_executor.hpp>

#include <functional>
#include <mutex>
#include <string>

namespace msgbus::nats {

/// Posts each event to the executor, unless its context is ending or has ended. Thread-safe.
class events final : private exec::context_shutdown_hook {
 public:
  events(asio::any_io_executor executor, std::function<void(const event&)> to);
  ~events() { unlink_and_release(executor_); }

  void tell(event::kind what, std::string_view text);
  /// Empty once its context has ended: an executor must not outlive that.
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  void context_ended() noexcept override;

  const std::function<void(const event&)> to_;
  std::mutex mutex_;
  asio::any_io_executor executor_;  // told to under the mutex
};

}  // namespace msgbus::nats
