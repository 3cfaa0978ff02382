#pragma once

/// Requests over one connection, each answered by one message.

#include "reply_table.hpp"
#include "subscription.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace msgbus::nats {

/// The inbox is subscribed when it is first needed. Thread-safe.
class replies {
 public:
  explicit replies(std::shared_ptr<connection> over) : over_(std::move(over)) {}
  ~replies();
  replies(const replies&) = delete;
  replies& operator=(const replies&) = delete;

  /// Sends the message with a reply topic of its own, and waits for what comes there. `lost` and
  /// `late` say that it may or may not have arrived. Throws what `connection::publish` does.
  [[nodiscard]] asio::awaitable<answer> ask(const envelope& message, deadline until);

  [[nodiscard]] reply_table& waiting() const noexcept { return *table_; }

 private:
  [[nodiscard]] const std::string& inbox();

  const std::shared_ptr<connection> over_;
  const std::shared_ptr<reply_table> table_ = std::make_shared<reply_table>();
  std::mutex mutex_;  // of what follows, until it is set
  std::string inbox_;
  std::shared_ptr<subscription> subscription_;
};

/// A topic that nobody else has.
[[nodiscard]] std::string make_inbox();

}  // namespace msgbus::nats
