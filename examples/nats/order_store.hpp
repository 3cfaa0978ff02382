#pragma once

/// Has every placed order stored in a stream before its command is answered: whoever is told that
/// an order is placed can rely on its being handled.

#include <msgbus/async.hpp>
#include <msgbus/bridge.hpp>

#include <atomic>
#include <cstdint>
#include <string>

#include "domain.hpp"

namespace exchange {

class order_store {
 public:
  /// `nats` must outlive this.
  explicit order_store(msgbus::bridge& nats);

  /// The consumer must not outlive this.
  void attach(msgbus::async::consumer& consumer);

  /// May be called from any thread.
  [[nodiscard]] std::uint64_t stored() const noexcept { return stored_; }
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_; }

 private:
  asio::awaitable<void> store(const order_placed& event);

  msgbus::bridge& nats_;
  const std::string run_;  // orders of another run of this program have the same numbers
  std::atomic<std::uint64_t> stored_{0};
  std::atomic<std::uint64_t> repeated_{0};
};

}  // namespace exchange
