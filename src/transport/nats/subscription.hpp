#pragma once

/// A subscription of nats.c, and what keeps alive what its thread calls.

#include "link.hpp"
#include "message.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace msgbus::nats {

/// Is called by one thread of nats.c, one call at a time.
class receiver {
 public:
  virtual ~receiver() = default;
  virtual void take(message_ptr message) noexcept = 0;
  /// The last call: the subscription was stopped, or its connection has ended.
  virtual void completed() noexcept {}
};

/// Kept by its owner, and by nats.c until the receiver's last call. Thread-safe.
class subscription {
 public:
  /// Without limits if `pending_limit` is zero. Throws.
  static std::shared_ptr<subscription> open(std::shared_ptr<link> over, const std::string& subject,
                                            const std::string& group, int pending_limit,
                                            std::shared_ptr<receiver> to);
  ~subscription();
  subscription(const subscription&) = delete;
  subscription& operator=(const subscription&) = delete;

  /// What waits is dropped. Never blocks, and may be called by the receiver.
  void stop() noexcept;
  /// The receiver still gets what the server has sent.
  void drain() noexcept;
  /// Blocks until the receiver has got all.
  void wait_until_drained(std::int64_t milliseconds) noexcept;

  /// How many nats.c has dropped because the receiver was slow.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

 private:
  struct closure;
  explicit subscription(std::shared_ptr<link> over) : over_(std::move(over)) {}
  void note_dropped() const noexcept;

  const std::shared_ptr<link> over_;
  natsSubscription* subscription_ = nullptr;
  mutable std::atomic<std::uint64_t> dropped_{0};  // as it was when it could be asked last
};

}  // namespace msgbus::nats
