#pragma once

/// JetStream: its requests, and durable consumers, whose messages are requested.
///
/// The requests are JSON over NATS. They are made here, and not by nats.c, so
/// that they block no thread, and that fields of newer servers for streams and consumers are kept.

#include "connection.hpp"
#include "deliveries.hpp"
#include "jetstream_json.hpp"
#include "session.hpp"

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/transport/delivery.hpp>
#include <msgbus/transport/transport.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus::nats {

/// Asks `$JS.API.<subject>`, again while the connection is away. Throws `unsupported` if the server
/// has no JetStream, and otherwise as transports do. A refusal of JetStream is in the reply.
[[nodiscard]] asio::awaitable<json> ask_jetstream(std::shared_ptr<session> through,
                                                  std::string subject, json request,
                                                  deadline until);

[[nodiscard]] asio::awaitable<void> ensure_stream(std::shared_ptr<session> through,
                                                  transport::stream_options wanted);

/// Finds or creates the durable consumer. Throws an error that describes an existing one that
/// cannot be used.
[[nodiscard]] asio::awaitable<void> ensure_consumer(std::shared_ptr<session> through,
                                                    transport::pull_options which);

/// Stores the message in whichever stream takes its topic.
[[nodiscard]] asio::awaitable<transport::stored> store(std::shared_ptr<session> through,
                                                       envelope message, duration timeout);

// --- Single messages of a stream. ----------------------------------------------------------------

/// The first message from this sequence number on. Needs nats-server 2.9: earlier ones find only
/// the message at this number.
[[nodiscard]] asio::awaitable<std::optional<transport::stored_message>> read_from_stream(
    std::shared_ptr<session> through, std::string stream, std::uint64_t from);

/// False if there is no such message.
[[nodiscard]] asio::awaitable<bool> erase_from_stream(std::shared_ptr<session> through,
                                                      std::string stream, std::uint64_t sequence);

// --- Durable consumers, and their deliveries.
// ------------------------------------------------------

/// Reports the unsettled deliveries of one source to the server as in progress. The connection's
/// thread does it, because the executor of the handlers may be busy for long. Thread-safe; owned by
/// shared pointer, by the source and its deliveries.
class progress : public std::enable_shared_from_this<progress> {
 public:
  progress(std::shared_ptr<connection> over, std::chrono::nanoseconds ack_wait)
      : over_(std::move(over)), unsettled_(ack_wait) {}

  /// One delivery. Its topic must live until it was removed, or is destroyed.
  class entry : public unsettled_list::entry {
   public:
    entry(std::shared_ptr<progress> in, const std::string& ack_topic);
    ~entry() { remove(); }

    /// Nothing is told of it when this has returned.
    void remove() noexcept;

   private:
    friend class progress;
    const std::shared_ptr<progress> in_;
    const std::string& ack_topic_;
  };

  [[nodiscard]] const std::shared_ptr<connection>& over() const noexcept { return over_; }

 private:
  // With the lock.
  void look_at(unsettled_list::time_point when);

  // For the connection's thread.
  void look() noexcept;

  const std::shared_ptr<connection> over_;
  std::mutex mutex_;  // of what follows
  unsettled_list unsettled_;
  bool looks_ = false;  // the thread has a job of this
};

/// It is in progress until it is settled or destroyed. Throws `std::bad_alloc` only.
[[nodiscard]] std::unique_ptr<transport::delivery> make_delivery(natsMsg* message,
                                                                 std::shared_ptr<progress> in);

/// Gives it back at once, so that others get it.
void give_back(connection& over, std::string_view ack_topic) noexcept;

/// Keeps at most one request at the server, for as many messages as may come, and sends the next
/// when that one has been fulfilled or has expired. So a message comes the moment it is there, and
/// nothing polls. The server's answers, its messages, and all that it asks JetStream come to one
/// inbox, hence on one thread; timers, which run on the transport's executor, and lost connections
/// only make it ask again.
///
/// A delivery that was not requested, or arrives after `stop`, is returned immediately. That
/// happens if a request was assumed to be lost, and was not.
class pull_consumer final : public receiver, public std::enable_shared_from_this<pull_consumer> {
 public:
  pull_consumer(const session& of, const transport::pull_options& which,
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
  void caught_up() noexcept override;
  void completed(const std::exception_ptr& why) noexcept override;

  void take_delivery(message_ptr message) noexcept;
  void take_status(natsMsg* message) noexcept;
  void take_info(natsMsg* message) noexcept;
  void end(const std::exception_ptr& why) noexcept;

  // With the lock.
  void do_next(pull_credit::action action) noexcept;
  void send_request() noexcept;
  void stop_giving() noexcept;
  bool stop_asking() noexcept;
  void start(exec::timer& timer, std::chrono::nanoseconds pause,
             void (pull_consumer::*member)() noexcept);

  // For the timers.
  void try_again() noexcept;
  void look_again() noexcept;
  void watch() noexcept;

  const std::shared_ptr<connection> requests_;   // inbox, requests, returned deliveries
  const std::shared_ptr<progress> in_progress_;  // unsettled deliveries
  const std::string name_;                       // of stream and durable, for people
  const std::string next_topic_;
  const std::string info_topic_;
  const std::string inbox_;
  std::shared_ptr<transport::delivery_sink> to_;  // for the inbox's thread
  std::shared_ptr<subscription> subscription_;
  bool ended_ = false;       // for the inbox's thread: the sink has been told
  discarded_messages done_;  // for the inbox's thread

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
