#pragma once

/// A subscription that comes back with its connection, and what keeps alive what nats.c's threads
/// call.

#include "connection.hpp"
#include "native.hpp"

#include <msgbus/transport/delivery.hpp>
#include <msgbus/transport/transport.hpp>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>

namespace msgbus::nats {

/// Is called by one thread of nats.c at a time, one call at a time.
class receiver {
 public:
  virtual ~receiver() = default;
  virtual void take(message_ptr message) noexcept = 0;
  /// After one or several: nothing follows at once, or enough has come together.
  virtual void caught_up() noexcept {}
  /// The connection was lost. From another thread than the other calls.
  virtual void interrupted() noexcept {}
  /// The last call: the subscription was stopped, the server refuses it (then `why` says so), or
  /// its connection has ended.
  virtual void completed(const std::exception_ptr& /*why*/) noexcept {}
};

/// Kept by its owner, and by nats.c until the receiver's last call. Thread-safe.
///
/// It has one subscription of nats.c at a time. Attached: nats.c has not made its last call for
/// that one. Detached: it has, because its connection was closed; a new connection attaches it
/// again. Ended: stopped, refused or without a connection, and detached; then the receiver gets its
/// last call, once.
class subscription : public std::enable_shared_from_this<subscription> {
 public:
  /// Without limits if `pending_limit` is zero. Throws.
  static std::shared_ptr<subscription> open(std::shared_ptr<connection> over,
                                            const std::string& subject, const std::string& group,
                                            int pending_limit, std::shared_ptr<receiver> to);
  ~subscription();
  subscription(const subscription&) = delete;
  subscription& operator=(const subscription&) = delete;

  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  /// In the connection, from 1.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

  /// What waits is dropped. Never blocks, and may be called by the receiver.
  void stop() noexcept;
  /// The receiver still gets what the server has sent.
  void drain() noexcept;
  /// Blocks until the receiver has got all.
  void wait_until_drained(std::int64_t milliseconds) noexcept;

  /// How many nats.c has dropped because the receiver was slow.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

  // For the connection.
  void attach(const std::shared_ptr<native_connection>& to) noexcept;
  void refuse(std::exception_ptr why) noexcept;
  void connection_is_lost() noexcept;
  void connection_has_ended() noexcept;

 private:
  class closure;
  subscription(std::shared_ptr<connection> over, std::string subject, std::string group,
               int pending_limit, std::shared_ptr<receiver> to);
  natsStatus try_to_attach(const std::shared_ptr<native_connection>& to) noexcept;
  void completed() noexcept;
  void end_unless_attached(std::unique_lock<std::mutex>& lock) noexcept;
  void leave() noexcept;
  void note_dropped() const noexcept;

  const std::shared_ptr<connection> over_;
  const std::string subject_;
  const std::string group_;
  const int pending_limit_;
  const std::uint64_t number_;

  mutable std::mutex mutex_;            // of what follows
  std::shared_ptr<receiver> to_;        // null after its last call
  natsSubscription* native_ = nullptr;  // null while detached
  std::shared_ptr<native_connection> at_;
  bool ends_ = false;  // stopped, refused or without a connection: it is not attached again
  std::exception_ptr why_;
  std::condition_variable drained_;           // the receiver has got its last call, or is about to
  mutable std::uint64_t dropped_ = 0;         // of those before
  mutable std::uint64_t native_dropped_ = 0;  // as it was when it could be asked last
};

/// A subscription to what is sent now. Throws.
[[nodiscard]] std::unique_ptr<transport::feed> open_feed(std::shared_ptr<connection> over,
                                                         const std::string& pattern,
                                                         const std::string& group,
                                                         int pending_limit,
                                                         std::shared_ptr<transport::sink> to);

}  // namespace msgbus::nats
