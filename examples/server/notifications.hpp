#pragma once

/// Tells the world what has happened: from each fact it makes a notice and publishes it under a
/// topic, such as orders.ACME.placed or accounts.deposited. Who follows is none of its business.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/publisher.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace exchange {

class notifications {
 public:
  /// Their topics begin with the prefix.
  explicit notifications(msgbus::async::publisher& publisher, std::string prefix = {})
      : publisher_(publisher), prefix_(std::move(prefix)) {}

  /// The consumer must handle one event at a time, and not outlive this.
  void attach(msgbus::async::consumer& consumer);

 private:
  msgbus::async::publisher& publisher_;
  std::string prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace exchange
