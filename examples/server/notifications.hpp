#pragma once

/// Tells the world what has happened: from each fact it makes a notice and publishes it under a
/// topic, such as orders.ACME.placed or accounts.deposited. Who follows is none of its business.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/publisher.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include "domain.hpp"
#include "notice.hpp"

namespace exchange {

class notifications {
 public:
  /// Their topics begin with the prefix.
  explicit notifications(msgbus::async::publisher& publisher, std::string prefix = {})
      : publisher_(publisher), prefix_(std::move(prefix)) {}

  /// The consumer must handle one event at a time, and not outlive this.
  void attach(msgbus::async::consumer& consumer);

 private:
  asio::awaitable<void> on_account_opened(const account_opened& event);
  asio::awaitable<void> on_deposited(const money_deposited& event);
  asio::awaitable<void> on_withdrawn(const money_withdrawn& event);
  asio::awaitable<void> on_placed(const order_placed& event);
  asio::awaitable<void> on_cancelled(const order_cancelled& event);

  template <class Event>
  asio::awaitable<void> publish(const Event& event, std::string topic);

  msgbus::async::publisher& publisher_;
  std::string prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace exchange
