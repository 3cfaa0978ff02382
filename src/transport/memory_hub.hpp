#pragma once

// The state that the connections of a memory broker share. One lock guards all of it. It is never
// held while user code runs: objects of users are destroyed after it is released.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/detail/exec/wait_list.hpp>
#include <msgbus/transport/memory.hpp>

#include "transport/memory_router.hpp"
#include "transport/memory_stream.hpp"
#include "transport/memory_time.hpp"

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace msgbus::transport::memory {

class hub;
class connection;

/// Holds the hub's lock, and the objects to destroy after its release.
class hub_lock {
 public:
  explicit hub_lock(std::shared_ptr<hub> of);
  void drop(std::shared_ptr<void> old) { old_.push_back(std::move(old)); }
  void wake_all(exec::wait_list& waiting) { waiting.wake(exec::wait_list::all, woken_); }
  hub_lock(const hub_lock&) = delete;
  hub_lock& operator=(const hub_lock&) = delete;
  ~hub_lock() = default;

  [[nodiscard]] hub& in() const noexcept { return *hub_; }

 private:
  const std::shared_ptr<hub> hub_;
  std::vector<std::shared_ptr<void>> old_;
  exec::wake_batch woken_;  // posts before `old_` is destroyed
  std::unique_lock<std::mutex> lock_;
};

/// Hands messages out of the broker, one at a time, on the executor of a connection.
class outlet : public std::enable_shared_from_this<outlet> {
 public:
  explicit outlet(std::shared_ptr<connection> of, std::uint64_t number) noexcept
      : of_(std::move(of)), number_(number) {}
  virtual ~outlet() = default;
  outlet(const outlet&) = delete;
  outlet& operator=(const outlet&) = delete;

  [[nodiscard]] connection& of() const noexcept { return *of_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 protected:
  /// Called under the lock, when there is something to hand out.
  void schedule();
  /// Called under the lock, when there is nothing more to hand out.
  void rest() noexcept { posted_ = false; }

 private:
  /// Hands out one thing, without the lock; false after `rest`.
  virtual bool give_one() = 0;
  void run();
  void post();

  const std::shared_ptr<connection> of_;
  const std::uint64_t number_;
  bool posted_ = false;
};

/// A subscription.
class feed_end final : public outlet {
 public:
  feed_end(std::shared_ptr<connection> of, std::uint64_t number, std::shared_ptr<sink> to) noexcept
      : outlet(std::move(of), number), to_(std::move(to)) {}

  void push(const message& one);
  /// Called when the connection is lost. The sink is notified after all earlier messages.
  void interrupt();
  void stop(hub_lock& lock);

  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

 private:
  bool give_one() override;

  std::shared_ptr<sink> to_;     // null: stopped
  std::deque<message> waiting_;  // null: the connection was lost
  std::atomic<std::uint64_t> dropped_{0};
};

/// A stream and one of its durable consumers.
struct durable_ref {
  std::shared_ptr<memory_stream> stream;
  std::shared_ptr<durable_state> state;
};

/// A source.
class source_end final : public outlet {
 public:
  source_end(std::shared_ptr<connection> of, std::uint64_t number, durable_ref from,
             std::shared_ptr<delivery_sink> to);

  [[nodiscard]] const durable_ref& from() const noexcept { return from_; }
  void push(handout given);
  void ask(hub_lock& lock, std::size_t more);
  void set_away(bool away);
  /// If this source has credit, starts a timer for the consumer's next due redelivery.
  void wait_for_due(time_point now);
  void stop(hub_lock& lock);
  void end(hub_lock& lock, std::exception_ptr why);

 private:
  bool give_one() override;
  void leave();
  void look_again();

  const durable_ref from_;
  std::shared_ptr<delivery_sink> to_;  // null: stopped, or notified of the end
  std::deque<handout> waiting_;
  std::exception_ptr ended_;
  exec::timer timer_;
  std::optional<time_point> timer_due_;
};

/// A connection, as the broker sees it. The destructor of the user's handle closes it.
class connection final : public std::enable_shared_from_this<connection>,
                         private exec::context_shutdown_hook {
 public:
  connection(std::shared_ptr<hub> at, std::uint64_t number, asio::any_io_executor executor,
             memory_options options);
  ~connection() { unlink_and_release(executor_); }

  [[nodiscard]] const std::shared_ptr<hub>& at() const noexcept { return hub_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
  [[nodiscard]] const memory_options& options() const noexcept { return options_; }
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::string new_inbox();

  void open();
  void close() noexcept;

  // The rest is under the lock.

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] bool away() const noexcept { return away_; }
  [[nodiscard]] bool context_is_there() const noexcept { return !context_ended_; }
  /// Throws `closed`.
  void must_be_open() const;
  /// Throws if the message is too large.
  void must_fit(const envelope& one) const;

  /// Runs `act` now, or when the connection is back.
  template <class Act>
  void do_or_keep(hub_lock& lock, Act act) {
    if (away_) {
      kept_.emplace_back(std::move(act));
    } else {
      act(lock);
    }
  }
  void publish(hub_lock& lock, message one, bool to_itself);
  void set_away(hub_lock& lock, bool away);
  /// If the connection is back, runs the kept actions and wakes the waiting coroutines.
  void catch_up(hub_lock& lock);

  /// Coroutines that wait until the connection is back, or closed.
  exec::wait_list waiting;

 private:
  void context_ended() noexcept override;

  const std::shared_ptr<hub> hub_;
  const std::uint64_t number_;
  asio::any_io_executor executor_;  // empty after its context has ended, which it must not outlive
  const memory_options options_;
  std::atomic<std::uint64_t> inboxes_{0};
  bool closed_ = false;
  bool away_ = false;
  bool context_ended_ = false;
  std::vector<std::function<void(hub_lock&)>> kept_;
  std::size_t kept_messages_ = 0;
};

class hub : public std::enable_shared_from_this<hub> {
 public:
  [[nodiscard]] std::shared_ptr<connection> connect(asio::any_io_executor executor,
                                                    memory_options options);
  /// For all connections, also later ones; or for one.
  void set_away(bool away);
  void set_away(connection& one, bool away);

  // The rest is under the lock.

  [[nodiscard]] std::uint64_t next_number() noexcept { return ++numbers_; }
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }
  /// The broker's time, which follows the clock of this connection's context.
  [[nodiscard]] time_point now(const connection& by);
  [[nodiscard]] time_point now() { return time_.now(); }

  /// Gives the message to the matching subscriptions and streams. Returns its position in the
  /// stream, if one takes the topic.
  std::optional<stored> send(connection& from, const message& one, bool to_itself);

  [[nodiscard]] std::shared_ptr<memory_stream> find_stream(const std::string& name) const;
  /// Throws if there is none.
  [[nodiscard]] memory_stream& stream_of(const std::string& name) const;
  void ensure_stream(stream_options wanted);
  [[nodiscard]] durable_ref find_durable(const pull_options& which);

  /// Hands out all messages that are due now and for which there is credit.
  void hand_out(const durable_ref& from);
  void hand_out_all();

  void add(std::shared_ptr<feed_end> added, std::string pattern, std::string group);
  void add(std::shared_ptr<source_end> added);
  void remove(const feed_end& removed);
  void remove(const source_end& removed);
  void remove(connection& closed, hub_lock& lock);
  /// With `in_progress`, the unsettled deliveries of this connection are in progress; without,
  /// their `ack_wait` begins.
  void hold_all_of(const connection& owner, bool in_progress);

  /// For the feeds or sources of one connection.
  void interrupt_feeds_of(const connection& owner);
  [[nodiscard]] std::vector<std::shared_ptr<source_end>> sources_of(const connection& owner) const;

 private:
  friend class hub_lock;

  std::mutex mutex_;
  std::uint64_t numbers_ = 0;
  bool all_away_ = false;
  shared_time time_;
  std::map<std::uint64_t, connection*> connections_;  // the open connections
  memory_router router_;
  std::map<std::uint64_t, std::shared_ptr<feed_end>> feeds_;
  std::map<std::uint64_t, std::shared_ptr<source_end>> sources_;
  std::map<std::string, std::shared_ptr<memory_stream>> streams_;
};

}  // namespace msgbus::transport::memory
