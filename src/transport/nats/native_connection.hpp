#pragma once

/// One connection of nats.c, from connecting until nats.c has closed it. nats.c reconnects by
/// itself as long as it knows how; a `connection` replaces one that nats.c has given up.

#include "message.hpp"

#include <msgbus/transport/nats.hpp>

#include <nats/nats.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace msgbus::nats {

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

  [[nodiscard]] natsConnection* get() const noexcept { return connection_; }
  [[nodiscard]] bool is_connected() const noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  /// Whether nats.c has closed it because of an error that the server has sent.
  [[nodiscard]] bool is_refused() const noexcept;
  /// nats.c's words for its last error; empty if there is none.
  [[nodiscard]] std::string last_error() const;

  /// Sends the message, and destroys it later, together with others.
  natsStatus publish(message_ptr message) noexcept;

  natsStatus subscribe(natsSubscription*& made, const std::string& subject,
                       const std::string& group, natsMsgHandler handler, void* closure);
  /// The subscription has ended, and its handler will not be called again. Gives how many wait to
  /// be destroyed.
  std::size_t retire(natsSubscription* ended) noexcept;

  /// Completes when the server has all that was sent. Blocks.
  natsStatus flush(std::int64_t milliseconds) noexcept;
  /// Blocks while the server does not take what is still to be sent, half a second at most.
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
