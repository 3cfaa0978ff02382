#pragma once

/// What moves envelopes between processes. Bridges are written against this; NATS and the memory
/// transport implement it.

#include <msgbus/detail/exec/requirements.hpp>
#include <msgbus/error.hpp>
#include <msgbus/transport/delivery.hpp>
#include <msgbus/transport/envelope.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace msgbus::transport {

using duration = std::chrono::steady_clock::duration;

/// What a transport can do; what it cannot do throws `error` with `errc::unsupported`.
struct features {
  bool durable = false;     ///< streams: `store`, `pull`
  bool persistent = false;  ///< streams outlive the process that keeps them
  bool holds_back =
      false;          ///< a subscription whose sink is full holds its senders back for a while
  bool away = false;  ///< the connection may be lost and come back
};

/// Whether an envelope may wait for others that share its way. What is sent at once reaches the
/// sender's own subscriptions too, so that a process may call its own services; what is sent in
/// bulk does not, unless the transport was asked to echo.
enum class urgency { bulk, at_once };

/// A subscription at a transport. Its destructor is `stop`.
class feed {
 public:
  virtual ~feed() = default;
  /// Nothing new is given to the sink after this. It does not wait for a call that is under way,
  /// which keeps what it needs.
  virtual void stop() noexcept = 0;
  /// How many envelopes were dropped: by the sink, or by the transport because the sink was slow.
  [[nodiscard]] virtual std::uint64_t dropped() const noexcept = 0;
};

/// A stream's durable consumer, as seen from here. Its destructor is `stop`.
class source {
 public:
  virtual ~source() = default;
  /// Lets this many more deliveries come. For any thread; never waits.
  virtual void ask(std::size_t more) noexcept = 0;
  /// Nothing new is given to the sink after this; what was on its way is delivered again elsewhere
  /// or later. What was given may still be settled.
  virtual void stop() noexcept = 0;
};

/// Which messages of a stream a source gives. Sources of the same stream and durable name, in
/// whatever processes, share its messages.
struct pull_options {
  std::string stream = {};
  std::string durable = {};
  std::string filter = {};                       ///< a pattern; empty: all topics of the stream
  duration ack_wait = std::chrono::seconds(30);  ///< the patience with what nobody holds
};

/// Keeps what is sent to these topics until it is deleted by age or number.
struct stream_options {
  std::string name = {};
  std::vector<std::string> topics = {};  ///< patterns
  bool in_memory = false;                ///< else in files, where the transport has any
  duration duplicate_window = std::chrono::minutes(2);  ///< how long message ids are remembered
  duration max_age = duration::zero();                  ///< zero: for ever
  std::int64_t max_messages = -1;                       ///< -1: as many as there are
};

/// Where a message was stored.
struct stored {
  std::string stream = {};
  std::uint64_t sequence = 0;
  bool duplicate = false;  ///< one with this message id was there already; nothing was added
};
std::ostream& operator<<(std::ostream& out, const stored& value);

/// A message that a stream keeps.
struct stored_message {
  envelope message = {};
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point at = {};  ///< when it was stored
};

/// A message that is refused for what it is: too large for the other side. It is of no use to send
/// it again. An `errc::transport_failed`.
class message_refused : public error {
 public:
  explicit message_refused(const std::string& text) : error(errc::transport_failed, text) {}
};

/// A connection. Every function may be called from any thread. Awaitables resume on their caller's
/// executor; cancelling one ends the wait, not what the other side does. Errors are `error`s:
/// `disconnected` (away, or lost on the way), `closed` (by `close`), `timed_out`, `unsupported`,
/// `transport_failed` (anything else, with the transport's own words; `message_refused` is one).
class transport {
 public:
  virtual ~transport() = default;

  [[nodiscard]] virtual features supports() const noexcept = 0;
  /// What spans call it: `messaging.system`.
  [[nodiscard]] virtual const char* system() const noexcept { return "msgbus"; }
  /// Empty once its context has ended.
  [[nodiscard]] virtual const asio::any_io_executor& get_executor() const noexcept = 0;

  /// Sends to whoever listens now, at most once. Never waits. While the connection is away it is
  /// kept, up to a limit, and sent when it is back. Throws.
  virtual void publish(const envelope& message, urgency when) = 0;

  /// Gives the sink what others send to topics that match; of several subscriptions with the same
  /// group, in whatever processes, one gets it. An empty group is none. What is sent after a
  /// `flush` that began after this is given. Throws.
  [[nodiscard]] virtual std::unique_ptr<feed> subscribe(const std::string& pattern,
                                                        const std::string& group,
                                                        std::shared_ptr<sink> to) = 0;

  /// A topic that is this connection's alone; so are those below it.
  [[nodiscard]] virtual std::string new_inbox() = 0;

  /// Completes when the other side has all that was published and subscribed before.
  [[nodiscard]] virtual asio::awaitable<void> flush(duration timeout) = 0;

  /// Makes the stream, or adds topics to one that is there. Needs `durable`, as do the next four.
  [[nodiscard]] virtual asio::awaitable<void> ensure_stream(stream_options stream) = 0;

  /// Completes when the stream of the topic has stored the message. Tries again until the timeout:
  /// the message must have a `message_id`, by which a second one is recognised.
  [[nodiscard]] virtual asio::awaitable<stored> store(envelope message, duration timeout) = 0;

  /// Finds or makes the durable consumer. Nothing comes before it is asked for.
  [[nodiscard]] virtual asio::awaitable<std::unique_ptr<source>> pull(
      pull_options which, std::shared_ptr<delivery_sink> to) = 0;

  /// The first message of the stream at this sequence number or a later one; empty if there is
  /// none. Settles nothing, and no durable consumer is needed.
  [[nodiscard]] virtual asio::awaitable<std::optional<stored_message>> read(std::string stream,
                                                                            std::uint64_t from) = 0;

  /// Removes the message from the stream. False if it is not there.
  [[nodiscard]] virtual asio::awaitable<bool> erase(std::string stream, std::uint64_t sequence) = 0;

  /// How many messages were kept while the connection was away and could not be sent later: the
  /// other side does not take them, or the connection did not come back.
  [[nodiscard]] virtual std::uint64_t given_up() const noexcept { return 0; }

  /// Sends what is left, and ends: feeds and sources give nothing more, waits end with `closed`.
  /// The destructor does it too.
  virtual void close() noexcept = 0;
};

}  // namespace msgbus::transport
