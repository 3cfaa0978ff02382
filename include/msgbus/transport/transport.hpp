#pragma once

/// The interface of transports, which move envelopes between processes. Bridges use it; NATS and
/// the memory transport implement it.

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

/// The optional features of a transport. A call that needs a missing feature throws
/// `errc::unsupported`.
struct features {
  bool durable = false;     ///< streams: `store`, `pull`
  bool persistent = false;  ///< streams outlive the process that keeps them
  bool holds_back =
      false;          ///< a subscription whose sink is full holds its senders back for a while
  bool away = false;  ///< the connection may be lost and come back
};
std::ostream& operator<<(std::ostream& out, const features& value);

/// Whether an envelope may wait to be sent together with others. An envelope that is sent `at_once`
/// also reaches subscriptions of the same connection, so a process can call its own services. One
/// that is sent in bulk does not, unless the transport has the option `echo`.
enum class urgency { bulk, at_once };
std::ostream& operator<<(std::ostream& out, urgency value);

/// A subscription at a transport. Its destructor calls `stop`.
class feed {
 public:
  virtual ~feed() = default;
  /// The sink gets no new envelope after this. Does not wait for a running call of the sink, which
  /// keeps alive the objects that it uses.
  virtual void stop() noexcept = 0;
  /// The number of dropped envelopes: the sink refused them, or the transport had to drop them
  /// because the sink was slow.
  [[nodiscard]] virtual std::uint64_t dropped() const noexcept = 0;
};

/// The local side of a stream's durable consumer. Its destructor calls `stop`.
class source {
 public:
  virtual ~source() = default;
  /// Requests this many further deliveries. For any thread; never waits.
  virtual void ask(std::size_t more) noexcept = 0;
  /// The sink gets no new delivery after this; messages on their way are delivered again, elsewhere
  /// or later. Deliveries that the sink has may still be settled.
  virtual void stop() noexcept = 0;
};

/// The options of `transport::pull`. Sources with the same stream and durable name share the
/// messages, also across processes.
struct pull_options {
  std::string stream = {};
  std::string durable = {};
  std::string filter = {};                       ///< a pattern; empty: all topics of the stream
  duration ack_wait = std::chrono::seconds(30);  ///< then an unsettled message is redelivered
};

/// A stream. It keeps the messages that are sent to its topics, up to a limit of age or number.
struct stream_options {
  std::string name = {};
  std::vector<std::string> topics = {};  ///< patterns
  bool in_memory = false;                ///< otherwise in files, if the transport has any
  duration duplicate_window = std::chrono::minutes(2);  ///< how long message ids are remembered
  duration max_age = duration::zero();                  ///< zero: for ever
  std::int64_t max_messages = -1;                       ///< -1: as many as there are
};

/// The result of `store`: the position of the message.
struct stored {
  std::string stream = {};
  std::uint64_t sequence = 0;
  bool duplicate = false;  ///< the stream had this message id already; nothing was added
};
std::ostream& operator<<(std::ostream& out, const stored& value);

/// A message that a stream keeps.
struct stored_message {
  envelope message = {};
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point at = {};  ///< when it was stored
};
std::ostream& operator<<(std::ostream& out, const stored_message& value);

/// The other side refuses the message itself, because of its size for example, so sending it again
/// is useless. The code is `errc::transport_failed`.
class message_refused : public error {
 public:
  explicit message_refused(const std::string& text) : error(errc::transport_failed, text) {}
};

/// A connection. Every function may be called from any thread.
///
/// The following holds for every function.
/// Throws: `disconnected` if the connection is away, or is lost meanwhile; `closed` after `close`;
/// `timed_out`; `unsupported`; `transport_failed` for all other errors, with the text of the
/// transport, such as `message_refused`.
/// Cancellation: ends the wait with Asio's `operation_aborted`; the other side may have carried out
/// the request.
/// Executor: the caller's.
class transport {
 public:
  virtual ~transport() = default;

  [[nodiscard]] virtual features supports() const noexcept = 0;
  /// The name of the transport in spans: `messaging.system`.
  [[nodiscard]] virtual const char* system() const noexcept { return "msgbus"; }
  /// The URLs of its servers, with a scheme and without logins; none: it has no addresses.
  [[nodiscard]] virtual std::vector<std::string> servers() const { return {}; }
  /// The executor on which the transport calls back. Empty after its context was destroyed.
  [[nodiscard]] virtual const asio::any_io_executor& get_executor() const noexcept = 0;

  /// Sends the envelope to the present subscriptions, at most once. Never waits. While the
  /// connection is away, envelopes are kept up to a limit, and sent when it is back.
  ///
  /// Throws: `full` beyond that limit; `disconnected` if it does not come back; `invalid_topic`;
  /// `bad_arguments` for a header that cannot be sent.
  virtual void publish(const envelope& message, urgency when) = 0;

  /// Passes the envelopes of matching topics to the sink. Of several subscriptions with the same
  /// group, also across processes, one gets each envelope; an empty group is no group. After a
  /// later `flush()` has completed, newly sent envelopes are received.
  ///
  /// Throws: `invalid_topic`.
  [[nodiscard]] virtual std::unique_ptr<feed> subscribe(const std::string& pattern,
                                                        const std::string& group,
                                                        std::shared_ptr<sink> to) = 0;

  /// A new topic for replies. It belongs to this connection, and so do the topics below it.
  [[nodiscard]] virtual std::string new_inbox() = 0;

  /// Waits for the other side.
  ///
  /// Completes: when the other side knows every earlier envelope and subscription.
  [[nodiscard]] virtual asio::awaitable<void> flush(duration timeout) = 0;

  /// Creates the stream, or adds the topics to an existing one. This and the next four functions
  /// need the feature `durable`.
  ///
  /// Completes: when the stream exists.
  [[nodiscard]] virtual asio::awaitable<void> ensure_stream(stream_options stream) = 0;

  /// Stores the message in the stream of its topic. Repeats the attempt until the timeout. The
  /// message needs a `message_id`, by which the stream recognises a duplicate.
  ///
  /// Completes: when the stream has stored the message.
  [[nodiscard]] virtual asio::awaitable<stored> store(envelope message, duration timeout) = 0;

  /// Opens the durable consumer, and creates it if it does not exist. The sink gets deliveries only
  /// after `source::ask`.
  ///
  /// Completes: when the durable consumer exists.
  [[nodiscard]] virtual asio::awaitable<std::unique_ptr<source>> pull(
      pull_options which, std::shared_ptr<delivery_sink> to) = 0;

  /// Reads a message without settling it. No durable consumer is needed.
  ///
  /// Completes: with the first message of the stream at this sequence number or a later one; empty
  /// if there is none.
  [[nodiscard]] virtual asio::awaitable<std::optional<stored_message>> read(std::string stream,
                                                                            std::uint64_t from) = 0;

  /// Removes the message from the stream.
  ///
  /// Completes: when it is removed, with true; with false if the stream does not have it.
  [[nodiscard]] virtual asio::awaitable<bool> erase(std::string stream, std::uint64_t sequence) = 0;

  /// The number of messages that were kept while the connection was away, and were never sent. The
  /// other side refused them, or the connection did not come back.
  [[nodiscard]] virtual std::uint64_t given_up() const noexcept { return 0; }

  /// Sends the remaining envelopes, and closes the connection: sinks get nothing more, and waits
  /// end with `closed`. The destructor does the same.
  virtual void close() noexcept = 0;
};

}  // namespace msgbus::transport
