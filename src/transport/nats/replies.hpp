#pragma once

/// Requests over one connection, each answered by one message.

#include "subscription.hpp"
#include "waits.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace msgbus::nats {

/// The inbox is subscribed when it is first needed. Thread-safe.
class replies {
 public:
  replies(std::shared_ptr<connection> over, role which, std::shared_ptr<waits> in)
      : over_(std::move(over)), role_(which), waits_(std::move(in)) {}
  ~replies();

  /// Sends the message with a reply topic of its own, and waits for what comes there. `lost` and
  /// `late` say that it may or may not have arrived. Throws what `connection::publish` does.
  [[nodiscard]] asio::awaitable<answer> ask(const envelope& message, time_point until);

 private:
  [[nodiscard]] const std::string& inbox();

  const std::shared_ptr<connection> over_;
  const role role_;
  const std::shared_ptr<waits> waits_;
  std::mutex mutex_;  // of what follows, until it is set
  std::string inbox_;
  std::shared_ptr<subscription> subscription_;
};

/// A topic that nobody else has.
[[nodiscard]] std::string make_inbox();

}  // namespace msgbus::nats
