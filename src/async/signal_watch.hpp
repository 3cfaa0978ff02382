#pragma once

/// Signals that end a host.

#include "async/host_state.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/signal_set.hpp>

#include <array>
#include <memory>
#include <mutex>

namespace msgbus::async::detail {

/// Kept by its completion while it waits. The first signal and the second are for the host; then it
/// watches no more. Thread-safe.
class signal_watch : public std::enable_shared_from_this<signal_watch> {
 public:
  /// Throws `std::system_error` for a number that is no signal.
  signal_watch(const asio::any_io_executor& executor, const std::array<int, 8>& signals,
               std::weak_ptr<host_state> host);

  void start();
  void end() noexcept;

 private:
  void heard();

  std::mutex mutex_;
  asio::signal_set set_;  // under the mutex
  bool ended_ = false;    // under the mutex
  const std::weak_ptr<host_state> host_;
};

}  // namespace msgbus::async::detail
