#pragma once

/// A durable consumer whose messages are asked for.

#include "delivery.hpp"
#include "pull_credit.hpp"
#include "session.hpp"
#include "subscription.hpp"

#include <msgbus/exec/timer.hpp>
#include <msgbus/transport/transport.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string>

namespace msgbus::nats {

/// Keeps at most one request at the server, for as many messages as may come, and sends the next
/// when that one has been fulfilled or has expired. So a message comes the moment it is there, and
/// nothing polls. The server's answers, its messages, and all that it asks JetStream come to one
/// inbox, hence on one thread; timers, which run on the transport's executor, and lost connections
/// only make it ask again.
///
/// What comes without having been asked for, or after `stop`, is given back at once. That happens
/// when a request was taken to be lost and was not.
class puller final : public receiver, public std::enable_shared_from_this<puller> {
 public:
  puller(const session& of, const transport::pull_options& which,
         std::shared_ptr<transport::delivery_sink> to);

  /// Once, before all else. Throws.
  void start();

  void ask(std::size_t more) noexcept;
  void stop() noexcept;

  // For the session.
  void connection_is_back() noexcept;
  void transport_closes() noexcept;
  void wait_until_given_back(pull_credit::time_point until) noexcept;

 private:
  void take(message_ptr message) noexcept override;
  void completed(const std::exception_ptr& why) noexcept override;

  void take_delivery(message_ptr message) noexcept;
  void take_status(natsMsg* message) noexcept;
  void take_info(natsMsg* message) noexcept;
  void end(const std::exception_ptr& why) noexcept;

  // With the lock.
  void do_next(pull_credit::action what) noexcept;
  void send_request() noexcept;
  void stop_giving() noexcept;
  bool stop_asking() noexcept;
  void start(exec::timer& timer, std::chrono::nanoseconds pause, void (puller::*what)() noexcept);

  // For the timers.
  void try_again() noexcept;
  void look_again() noexcept;
  void watch() noexcept;

  const std::shared_ptr<connection> requests_;   // inbox, requests, what is given back
  const std::shared_ptr<progress> in_progress_;  // what is given and not settled
  const std::string name_;                       // of stream and durable, for people
  const std::string next_topic_;
  const std::string info_topic_;
  const std::string inbox_;
  std::shared_ptr<transport::delivery_sink> to_;  // for the inbox's thread
  std::shared_ptr<subscription> subscription_;
  bool ended_ = false;  // for the inbox's thread: the sink has been told

  std::mutex mutex_;  // of what follows
  pull_credit credit_;
  bool owner_left_ = false;  // nothing is told to the sink
  exec::timer watch_;        // runs until it is stopped
  exec::timer next_;         // of the next try, or the next look: of whichever is wanted last
};

/// Finds or makes the durable consumer, and takes from it.
[[nodiscard]] asio::awaitable<std::unique_ptr<transport::source>> pull(
    std::shared_ptr<session> through, transport::pull_options which,
    std::shared_ptr<transport::delivery_sink> to);

}  // namespace msgbus::nats
