#pragma once

/// The calls of nats.c, except for subscriptions: its statuses, messages, options and connections.

#include "message_format.hpp"

#include <msgbus/error.hpp>
#include <msgbus/nats/options.hpp>
#include <msgbus/transport/envelope.hpp>

#include <nats/nats.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::nats {

// --- Statuses. -----------------------------------------------------------------------------------

/// `closed` stands for a connection that is closed, by either side.
[[nodiscard]] errc code_of(natsStatus status) noexcept;

/// The text of nats.c for its last failure on this thread; the name of the status if that was
/// another failure.
[[nodiscard]] std::string text_of(natsStatus status);

/// `what: why`.
[[nodiscard]] error failure(natsStatus status, const std::string& text);

// --- Messages. -----------------------------------------------------------------------------------

struct message_deleter {
  void operator()(natsMsg* message) const noexcept { natsMsg_Destroy(message); }
};
using message_ptr = std::unique_ptr<natsMsg, message_deleter>;

/// Messages that are to be destroyed. nats.c destroys them on a thread of its own, and wakes that
/// thread for a message that comes alone. So they are given to it many at a time.
class discarded_messages {
 public:
  discarded_messages() = default;
  ~discarded_messages() { destroy(); }
  discarded_messages(const discarded_messages&) = delete;
  discarded_messages& operator=(const discarded_messages&) = delete;

  void add(message_ptr message) noexcept;
  /// Nothing follows at once. A few small ones wait for others.
  void destroy_if_many() noexcept;
  void destroy() noexcept;

 private:
  std::array<message_ptr, 64> all_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

/// A message of nats.c, of an envelope that has headers and was checked.
///
/// nats.c allocates four times for a header, and frees it on a thread of its own: then the sending
/// thread never has memory to use again, and both wait for the lock of its heap. So a message that
/// was sent loses its header here, before it is destroyed.
class message_with_headers {
 public:
  /// Throws. The envelope must outlive it.
  message_with_headers(const envelope& message, const std::string& reply_to);
  message_with_headers(const message_with_headers&) = delete;
  message_with_headers& operator=(const message_with_headers&) = delete;

  [[nodiscard]] natsMsg* get() const noexcept { return message_.get(); }
  /// The message, to be destroyed; once.
  [[nodiscard]] message_ptr without_them() noexcept;

 private:
  const joined_headers all_;
  message_ptr message_;
};

/// With all values of a header that is there several times. Throws `std::bad_alloc` only.
[[nodiscard]] envelope from_nats(natsMsg* message);
/// The same, in the memory of a former one.
void from_nats(natsMsg* message, envelope& into);

[[nodiscard]] std::string_view subject_of(const natsMsg* message) noexcept;
/// Empty if there is none.
[[nodiscard]] std::string_view reply_topic_of(const natsMsg* message) noexcept;
[[nodiscard]] std::string_view payload_of(const natsMsg* message) noexcept;

/// The value of "Status"; empty for a message that is none of the server's own.
[[nodiscard]] std::string_view status_of(natsMsg* message) noexcept;
/// The server's words for its status; empty if it says nothing.
[[nodiscard]] std::string_view description_of(natsMsg* message) noexcept;

/// Throws `invalid_topic` or `bad_arguments` if sending it would break the protocol.
void check(const envelope& message);
/// Throws `transport_failed` if nats.c cannot count its bytes.
void check_size(const envelope& message);

// --- Options. ------------------------------------------------------------------------------------

struct options_deleter {
  void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};
using options_ptr = std::unique_ptr<natsOptions, options_deleter>;

/// For the connection that sends in bulk, or for the one that sends at once. Throws if files do not
/// exist, or have the wrong content.
[[nodiscard]] options_ptr to_nats(const options& from, bool in_bulk);

// --- Connections. --------------------------------------------------------------------------------

class native_connection;

/// Is told of a connection's changes by nats.c's callback thread, one call at a time.
class native_listener {
 public:
  virtual ~native_listener() = default;
  virtual void lost(native_connection& at, std::string text) = 0;
  virtual void back(native_connection& at, std::string text) = 0;
  /// nats.c has ended it: `why` is its last error. This is the last call.
  virtual void closed(native_connection& at, natsStatus why, std::string text) = 0;
  virtual void slow(std::string subject) = 0;
  virtual void failed(std::string text) = 0;
};

/// Lives until nats.c has said that it is closed, or longer if it is still used. Thread-safe.
///
/// Retired subscriptions. Up to 3.6.0 the thread of nats.c that reads from the server looks a
/// subscription up, unlocks the table, and then uses the subscription without a reference of its
/// own. So a subscription that was removed may still be in use by that thread, during the one
/// protocol message that it is working on. A subscription is therefore not destroyed when it ends,
/// but retired, and destroyed in one of two places:
///
/// - `flush`, after the server has answered a PING that was sent after the subscription was
///   removed: the reading thread has come to the answer, hence past that message;
/// - the destructor: nats.c says 'closed' only after the reading thread has ended, or when that
///   thread itself has closed the connection and finds no subscription any more.
class native_connection {
 public:
  /// Blocks. Throws as `nats::open` promises.
  [[nodiscard]] static std::shared_ptr<native_connection> connect(
      const options& options, bool in_bulk, std::weak_ptr<native_listener> listener);
  ~native_connection();
  native_connection(const native_connection&) = delete;
  native_connection& operator=(const native_connection&) = delete;

  [[nodiscard]] bool is_connected() const noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  /// Whether nats.c has closed it because of an error that the server has sent.
  [[nodiscard]] bool is_refused() const noexcept;
  /// nats.c's words for its last error; empty if there is none.
  [[nodiscard]] std::string last_error() const;

  /// Sends the envelope, which was checked. Throws if a message of nats.c cannot be made.
  natsStatus publish(const envelope& message, const std::string& reply_to);
  /// Sends a text without headers.
  natsStatus publish(const std::string& subject, const std::string& reply_to,
                     std::string_view text) noexcept;
  /// The server's size limit for payload and headers together.
  [[nodiscard]] std::size_t max_payload() const noexcept;

  natsStatus subscribe(natsSubscription*& made, const std::string& subject,
                       const std::string& group, natsMsgHandler handler, void* closure);
  /// The subscription has ended, and its handler will not be called again. Gives how many wait to
  /// be destroyed.
  std::size_t retire(natsSubscription* ended) noexcept;

  /// Completes when the server has all that was sent. Blocks.
  natsStatus flush(std::int64_t milliseconds) noexcept;
  /// Blocks for at most half a second, while the server does not accept the remaining bytes.
  void close() noexcept;

 private:
  class callbacks;
  native_connection() = default;
  natsStatus ping(std::int64_t milliseconds) noexcept;
  void destroy(const std::vector<natsSubscription*>& ended) noexcept;

  natsConnection* connection_ = nullptr;
  std::weak_ptr<native_listener> listener_;
  std::mutex sent_mutex_;
  discarded_messages sent_;
  std::mutex mutex_;  // of what follows
  std::vector<natsSubscription*> retired_;
  std::map<const natsSubscription*, std::string> subjects_;  // of those that are not retired
};

}  // namespace msgbus::nats
