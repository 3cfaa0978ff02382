#pragma once

/// The reconnection: the messages that are kept while the connection is away, and the attempts
/// until there is a new one. Pure: events in, decisions out.

#include <msgbus/transport/envelope.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace msgbus::nats {

/// The messages that wait for the connection, in the order in which they were sent.
///
/// States: there -> away, by every loss -> there, by the return that belongs to the last loss.
/// Messages go to the connection while it is present and none waits, and otherwise here; so the
/// messages of one thread stay in order. For one thread at a time, except for members that are
/// marked for any thread.
class kept_messages {
 public:
  /// How the attempt to send the first message went.
  enum class attempt {
    sent,
    refused,  ///< the server does not take this message
    too_early,
    broken,  ///< the connection broke while the message was written: it is not sent
  };
  enum class decision {
    sent,
    give_up,  ///< this message alone
    wait,     ///< all that wait, for the next return
  };

  /// After so many connections that broke while the same message was written, it is given up: a
  /// server may end the connection because of that message.
  static constexpr int most_breaks = 5;

  explicit kept_messages(std::size_t most_bytes) noexcept : most_bytes_(most_bytes) {}

  /// From any thread: whether a message that is sent now waits here.
  [[nodiscard]] bool must_keep() const noexcept {
    return must_keep_.load(std::memory_order_acquire);
  }
  /// From any thread: how many were given up.
  [[nodiscard]] std::uint64_t given_up() const noexcept {
    return given_up_.load(std::memory_order_relaxed);
  }

  /// Whether this was the first loss since it was there.
  bool lose() noexcept;
  /// Which loss was the last one.
  [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }
  /// False, and nothing is changed, if it has been lost again since that loss: then another return
  /// is still to come.
  [[nodiscard]] bool come_back(std::uint64_t from_loss) noexcept;
  [[nodiscard]] bool is_away() const noexcept { return away_; }

  /// Returns false, and keeps nothing, if there is no space.
  [[nodiscard]] bool keep(const envelope& message, const std::string& reply_to);
  /// Null if none waits.
  [[nodiscard]] const envelope* first() const noexcept;
  /// Of the first one. A message that was sent or given up is still the first.
  [[nodiscard]] decision tried(attempt manner) noexcept;
  /// Takes out the first one.
  void pop() noexcept;
  /// Takes out all, which are given up. Gives how many there were.
  std::size_t give_up_all() noexcept;

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t most_bytes() const noexcept { return most_bytes_; }

 private:
  const std::size_t most_bytes_;
  std::deque<envelope> messages_;
  std::size_t bytes_ = 0;
  bool away_ = false;
  std::uint64_t losses_ = 0;
  int breaks_ = 0;  // how many connections broke while the first message was written
  std::uint64_t last_broke_at_ = 0;
  std::atomic<bool> must_keep_{false};  // away, or some wait
  std::atomic<std::uint64_t> given_up_{0};
};

/// The attempts to open a new connection where nats.c has given up on one, and the search for the
/// subscription because of which the server ends one connection after the other.
///
/// States: at rest -> searching (a server's error has ended the connection: subscriptions are sent
/// one by one) -> at rest, by success. For one thread at a time.
class reopening {
 public:
  /// -1: for ever.
  explicit reopening(int most_tries) noexcept : most_tries_(most_tries) {}

  /// Whether a new connection is opened where nats.c has given up on one. `found_no_server`: it has
  /// itself used up all tries. From any thread.
  [[nodiscard]] bool goes_on(bool found_no_server) const noexcept {
    return most_tries_ < 0 || (most_tries_ > 0 && !found_no_server);
  }
  /// A server's error has ended the connection.
  void search() noexcept { searches_ = true; }
  /// From any thread.
  [[nodiscard]] bool searches() const noexcept { return searches_; }

  /// An attempt to open one has failed. False: it was the last one.
  [[nodiscard]] bool failed() noexcept { return most_tries_ < 0 || ++tries_ < most_tries_; }
  /// Whether this is another failure than the last one, so that it is told once.
  [[nodiscard]] bool is_news(const std::string& failure);

  /// The server has ended the connection when it got the subscription with this number. True: the
  /// subscription is to be given up, since the error is about subscriptions or lines, or since this
  /// happens for the second time.
  [[nodiscard]] bool blames(std::uint64_t number, std::string_view error) noexcept;

  /// There is a new connection, with all subscriptions.
  void done() noexcept;

 private:
  const int most_tries_;
  int tries_ = 0;
  std::atomic<bool> searches_{false};
  std::uint64_t suspect_ = 0;  // the subscription at which the last connection was ended
  std::string last_failure_;
};

}  // namespace msgbus::nats
