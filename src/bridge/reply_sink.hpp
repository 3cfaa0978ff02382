#pragma once

// The answers to a connection's requests, which come to topics of their own below its inbox.

#include <msgbus/error.hpp>
#include <msgbus/transport/transport.hpp>

#include "transport/names.hpp"
#include "transport/reply_table.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace msgbus::bridging {

/// The reply to a request, or the reason why none arrives.
struct reply_or_end {
  std::optional<envelope> reply = {};  // empty: none comes
  errc code = {};                      // of none
  std::string why = {};                // the same
};

/// Thread-safe.
class reply_sink final : public transport::sink {
 public:
  explicit reply_sink(std::string inbox) : inbox_(std::move(inbox)) {}

  [[nodiscard]] std::string pattern() const { return inbox_ + ".*"; }
  [[nodiscard]] std::string topic(std::uint64_t number) const {
    return transport::reply_topic(inbox_, number);
  }
  [[nodiscard]] transport::reply_table<reply_or_end>& waiting() noexcept { return waiting_; }

  bool take(envelope&& message, bool may_wait) noexcept override;
  void interrupted() noexcept override;
  void ended(const std::exception_ptr& why) noexcept override;

  std::unique_ptr<transport::feed> feed;  // set before anybody else knows this

 private:
  const std::string inbox_;
  transport::reply_table<reply_or_end> waiting_;
};

}  // namespace msgbus::bridging
