#pragma once

/// A connection that reconnects: one connection of nats.c after the other. Its subscriptions are
/// restored with it, and keep alive the objects that nats.c's threads call.

#include "native.hpp"
#include "reconnection.hpp"
#include "times.hpp"

#include <msgbus/error.hpp>
#include <msgbus/nats/options.hpp>
#include <msgbus/transport/delivery.hpp>
#include <msgbus/transport/envelope.hpp>
#include <msgbus/transport/transport.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::nats {

class subscription;

/// One of a transport's two connections; transport.cpp describes them.
enum class role { bulk, low_latency };

/// Receives the events of a connection, one call at a time of each kind. `lost` may be called again
/// before `back`.
class connection_listener {
 public:
  virtual ~connection_listener() = default;
  virtual void lost(role which, std::string text) = 0;
  virtual void back(role which, std::string text) = 0;
  virtual void ended(role which, std::string text) = 0;  ///< it does not come back
  virtual void slow(std::string subject) = 0;
  virtual void failed(std::string text) = 0;
};

/// Thread-safe.
///
/// nats.c reconnects by itself, but gives up on a connection for many errors that pass or that
/// concern one message only (docs/design lists them). Then this opens a new one of nats.c, on a
/// thread of its own, again and again as long as `options::max_reconnects` lets it: subscribes
/// again, sends the messages that have waited, and says `back`.
///
/// States: there; away (nats.c reconnects, or has given up and this opens a new one); ended (closed
/// by the user, or given up by this). There is no way out of the last.
///
/// Messages that are sent while it is away wait here, not in nats.c: that would send them in one
/// piece, and lose them all with the new connection if the server refuses one of them. One that the
/// server refuses for its size is given up alone, counted and told. The message whose write shows
/// that the connection is lost waits as well.
///
/// A server that ends a connection because of a subscription (one more than it allows, or a name
/// that is too long for it) would do so again and again. So after a server's error this subscribes
/// one by one, with a flush after each, and gives up the subscription at which the server ends the
/// connection: at once if its error is about subscriptions or lines, else if that happens twice.
class connection final : public native_listener, public std::enable_shared_from_this<connection> {
 public:
  /// Of the search for a subscription that the server refuses.
  struct limits {
    std::chrono::milliseconds flush{2000};
    std::chrono::milliseconds last_calls{2000};  // of nats.c: a receiver may block for longer
  };

  /// Blocks. Throws as `nats::open` promises.
  [[nodiscard]] static std::shared_ptr<connection> connect(
      const options& options, role which, std::weak_ptr<connection_listener> listener);
  [[nodiscard]] static std::shared_ptr<connection> connect(
      const options& options, role which, std::weak_ptr<connection_listener> listener,
      limits within);
  ~connection() override;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Throws.
  void publish(const envelope& message, const std::string& reply_to);
  /// The same for a message that was checked (`check`), and a reply topic of our own.
  void publish_checked(const envelope& message, const std::string& reply_to);
  /// False if it has ended, or is away and keeps too much already. While it is away, the text is
  /// sent later.
  bool send(const std::string& subject, const std::string& reply_to,
            std::string_view text) noexcept;

  /// Runs the job on the connection's thread, which calls of nats.c may block, when its time has
  /// come. It is dropped with the connection.
  void run_at(blocking_thread::time_point when, std::function<void()> job);

  /// Completes when the server has all that was sent. Fails while it is away. Blocks.
  natsStatus flush(std::int64_t milliseconds) noexcept;

  /// Ends it as if it had given up by itself.
  void give_up() noexcept;

  /// Sends all, and ends. Blocks for so long at most, if the server does not answer.
  void close(std::int64_t flush_milliseconds) noexcept;

  [[nodiscard]] bool is_away() const noexcept;
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }
  /// How many messages waited here and were refused by the server when they were sent.
  [[nodiscard]] std::uint64_t given_up() const noexcept { return kept_.given_up(); }
  [[nodiscard]] const std::string& server() const noexcept { return shown_; }

  /// The error of a status, where `closed` that we did not ask for is `disconnected`.
  [[nodiscard]] error failed(natsStatus status, const std::string& text) const;

  // For subscriptions.
  [[nodiscard]] std::shared_ptr<native_connection> current() const;
  [[nodiscard]] std::uint64_t new_number() noexcept { return ++last_number_; }
  /// It is attached to each new connection, until it is removed.
  void add(const std::shared_ptr<subscription>& added);
  void remove(std::uint64_t number) noexcept;
  /// Whether subscriptions are sent one by one. Then no other thread may send one, and the search
  /// sends all that were added before it ends.
  [[nodiscard]] bool searches() const noexcept { return reopening_.searches(); }
  /// nats.c has made its last call for this one, which is destroyed when that is safe.
  void retire(const std::shared_ptr<native_connection>& of, natsSubscription* ended) noexcept;

 private:
  connection(const options& options, role which, std::weak_ptr<connection_listener> listener,
             limits within);

  [[nodiscard]] std::shared_ptr<native_connection> connect_first();

  // From nats.c.
  void lost(native_connection& at, std::string text) override;
  void back(native_connection& at, std::string text) override;
  void closed(native_connection& at, natsStatus why, std::string text) override;
  void slow(std::string subject) override;
  void failed(std::string text) override;

  [[nodiscard]] bool is_current(const native_connection& one) const;
  using all_subscriptions = std::vector<std::shared_ptr<subscription>>;  // in order of number
  [[nodiscard]] all_subscriptions subscriptions() const;
  [[nodiscard]] all_subscriptions living(std::uint64_t above) const;
  template <class F>
  void tell(F f) const {
    if (const auto listener = listener_.lock()) f(*listener);
  }
  void tell_refused(const std::vector<std::string>& refused) const;
  [[nodiscard]] std::string with_reason(std::string text) const;
  template <class F>
  void later(blocking_thread::time_point when, F job);

  [[nodiscard]] bool must_wait(natsStatus status) const noexcept;
  [[nodiscard]] kept_messages::attempt attempt_of(natsStatus status) const noexcept;
  void keep(const envelope& message, const std::string& reply_to);
  void send_kept(std::vector<std::string>& refused);
  std::size_t give_up_kept() noexcept;
  void resume(std::uint64_t from_loss, const std::string& text);
  void begin_to_keep();
  [[nodiscard]] std::uint64_t last_loss();

  void reopen();
  void try_again(const std::string& failure);
  // False if nats.c has closed the connection meanwhile.
  bool subscribe_again(const std::shared_ptr<native_connection>& at);
  bool subscribe_one_by_one(const std::shared_ptr<native_connection>& at);
  bool takes(native_connection& at, subscription& one);
  [[nodiscard]] all_subscriptions next_or_done(std::uint64_t above);
  void end(std::string text);

  const options options_;
  const role role_;
  const std::string shown_;
  const std::weak_ptr<connection_listener> listener_;
  std::atomic<bool> ended_{false};
  std::atomic<bool> closed_{false};  // ended by the user
  std::atomic<bool> reclaims_{false};
  std::atomic<std::uint64_t> last_number_{0};

  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<native_connection> current_;
  std::shared_ptr<native_connection> closed_seen_;  // whose end was handled: once
  std::map<std::uint64_t, std::weak_ptr<subscription>> subscriptions_;

  std::mutex kept_mutex_;  // of what follows; taken before `mutex_`
  kept_messages kept_;

  reopening reopening_;  // for the connection's thread, except what says otherwise
  const limits limits_;

  blocking_thread thread_;  // the last member: it ends before the others do
};

// --- Subscriptions. ------------------------------------------------------------------------------

/// All calls but `interrupted` come from one thread of nats.c at a time, one at a time.
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
/// that one. Detached: it has, because its connection was closed. It is attached to the
/// new one by the thread of the connection or by that last call, whichever comes later; during a
/// search, only by the thread of the connection. Ended: stopped, refused or without a connection,
/// and detached; then the receiver gets its last call, once.
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

  /// Drops waiting messages. Never blocks, and may be called by the receiver.
  void stop() noexcept;
  /// The receiver still gets the messages that the server has sent.
  void drain() noexcept;
  /// Blocks until the receiver has got all.
  void wait_until_drained(std::int64_t milliseconds) noexcept;

  /// How many nats.c has dropped because the receiver was slow.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

  // For the connection.
  enum class attachment {
    there,
    busy,  ///< nats.c has not made its last call for the former connection
    none,  ///< it has ended, or the connection is closed
  };
  /// On the connection's thread. Blocks until then at most, while it is busy.
  attachment attach(const std::shared_ptr<native_connection>& to,
                    std::chrono::steady_clock::time_point until = {}) noexcept;
  void refuse(std::exception_ptr why) noexcept;
  void connection_is_lost() noexcept;
  void connection_has_ended() noexcept;

 private:
  class closure;
  subscription(std::shared_ptr<connection> over, std::string subject, std::string group,
               int pending_limit, std::shared_ptr<receiver> to);
  natsStatus try_to_attach(const std::shared_ptr<native_connection>& to) noexcept;
  bool attach_again(std::unique_lock<std::mutex>& lock,
                    const std::shared_ptr<native_connection>& to) noexcept;
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
  std::condition_variable changed_;    // detached, ended, or the receiver's last call is near
  mutable std::uint64_t dropped_ = 0;  // of those before
  mutable std::uint64_t native_dropped_ = 0;  // as it was when it could be asked last
};

/// A subscription to messages that are sent from now on. Throws.
[[nodiscard]] std::unique_ptr<transport::feed> open_feed(std::shared_ptr<connection> over,
                                                         const std::string& pattern,
                                                         const std::string& group,
                                                         int pending_limit,
                                                         std::shared_ptr<transport::sink> to);

}  // namespace msgbus::nats
