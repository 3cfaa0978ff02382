#pragma once

/// Links that bring messages in at least once: source -> queue -> decoded -> mailbox -> settled by
/// its outcome.
///
/// One delivery is, in this order: held by the transport; in the queue; in a `tracked`, which the
/// message carries through the mailbox; settled. The code that takes it out of its `tracked`
/// settles it: the component reports the outcome, or the link cannot put it into the mailbox, or
/// else the destructor of `tracked` does it. Each settled one lets the source give one more, so
/// that never more than `max_in_flight` are on their way and the server holds back the rest. A
/// request for each message would cost the server as much as the message. So free places are
/// requested together: when they are a quarter of all, when nothing is in flight, or a millisecond
/// later.
///
/// The transport keeps unsettled deliveries in progress. The link counts failures and returns of a
/// message by its position in the stream, since the stream only counts deliveries.

#include "bridge/dead_letter_store.hpp"
#include "bridge/replay_server.hpp"
#include "bridge/tries.hpp"
#include "transport/receive_queue.hpp"

#include <msgbus/bridge/options.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/error.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace msgbus::bridging {

/// Pure. A request for each settled message would cost the server as much as the message, so the
/// free places are asked for together: once they are a quarter of all, once nothing is in flight,
/// or else after a short pause. For one thread at a time.
class refill {
 public:
  enum class action { wait, ask, ask_after_pause };

  explicit refill(std::size_t window) noexcept : window_(window) {}

  /// One message was settled, and `in_flight` are left. `ask_after_pause` comes once until
  /// `paused`.
  [[nodiscard]] action settled(std::size_t in_flight) noexcept {
    ++free_;
    if (in_flight == 0 || free_ >= std::max<std::size_t>(window_ / 4, 1)) return action::ask;
    return std::exchange(pausing_, true) ? action::wait : action::ask_after_pause;
  }

  /// The pause is over.
  void paused() noexcept { pausing_ = false; }

  /// The number of messages to ask for now; zero if they were asked for already.
  [[nodiscard]] std::size_t take() noexcept { return std::exchange(free_, 0); }

 private:
  const std::size_t window_;
  std::size_t free_ = 0;  // places that the source does not know of
  bool pausing_ = false;
};

class durable_link final : public link_base,
                           public transport::delivery_sink,
                           public std::enable_shared_from_this<durable_link> {
 public:
  durable_link(std::shared_ptr<hub> over, std::string called, receiving_end to,
               durable_options options)
      : link_base(std::move(over), std::move(called)),
        to_(std::move(to)),
        options_(std::move(options)),
        stream_(std::make_shared<const std::string>(options_.stream)),
        rule_{options_.max_deliver, options_.backoff, options_.max_backoff, options_.jitter},
        window_(std::max<std::size_t>(options_.max_in_flight != 0
                                          ? options_.max_in_flight
                                          : to_.component->mailbox.capacity(),
                                      1)),
        arrived_(std::numeric_limits<std::size_t>::max()),  // the window bounds it
        asking_(hub_->executor()),
        refill_(window_) {}
  ~durable_link() override { durable_link::cancel(); }

  static asio::awaitable<void> start(std::shared_ptr<durable_link> self, std::string pattern);

  void cancel() noexcept override;

  [[nodiscard]] link_counters stats() const noexcept override;

  void add_to(msgbus::detail::graph_builder& to, const void* over) const override;

  void take(std::unique_ptr<transport::delivery> received) noexcept override;

  void ended(std::exception_ptr why) noexcept override {
    if (!deactivate()) return;
    arrived_.close();
    hub_->failed(name(), why);
  }

 private:
  /// A delivery that leaves its `tracked`, to be settled.
  struct leaving {
    std::unique_ptr<transport::delivery> delivery;
    std::string id;
    message_tries before;  // this delivery not included
    settlement decision;
    std::string reason;           // if it is given up
    exec::wait_group::task busy;  // the same

    [[nodiscard]] unsigned attempts() const noexcept {
      const unsigned this_one = before.attempt(delivery->times);
      return before.reason.empty() ? this_one : this_one - 1;  // it was given up before this one
    }
  };

  /// A delivery from its arrival to its settlement.
  class tracked final : public exec::outcome_listener {
   public:
    tracked(std::shared_ptr<durable_link> of, std::unique_ptr<transport::delivery> one,
            bool came_before)
        : link_(std::move(of)), busy_(link_->hub_->busy), delivery_(std::move(one)) {
      before_.came_before = came_before;
      const std::lock_guard lock(link_->mutex_);
      ++link_->held_;
    }
    ~tracked() { settled(outcome::abandoned, 0, {}); }
    tracked(const tracked&) = delete;
    tracked& operator=(const tracked&) = delete;

    // Of these two only the first call does anything.
    void settled(outcome result, std::size_t ran, const failures& failed) noexcept override;
    void give_up(std::string reason) noexcept;

    // Before it is in a mailbox.

    /// Why it must not be handled; empty if it may be.
    [[nodiscard]] std::string why_not();
    [[nodiscard]] const envelope& message() const noexcept { return delivery_->message; }
    /// The origin of the message, once. It takes over the headers.
    [[nodiscard]] shared_origin take_origin();

   private:
    // With the lock.
    [[nodiscard]] settlement decide(outcome result, std::size_t ran);
    void leave(std::unique_lock<std::mutex> lock, const settlement& decision,
               std::string reason) noexcept;
    [[nodiscard]] std::string id_of(const transport::delivery& one) const;
    [[nodiscard]] std::uint64_t digest() const;
    [[nodiscard]] message_tries seen() const;

    const std::shared_ptr<durable_link> link_;
    const exec::wait_group::task busy_;
    std::unique_ptr<transport::delivery> delivery_;  // null once it is settled
    shared_origin origin_;                           // null until it is decoded
    message_tries before_;
  };

  /// Empties the queue when the coroutine that takes is destroyed, begun or not: nothing else does
  /// it then, and deliveries in the queue own the link.
  struct pump_end {
    explicit pump_end(std::shared_ptr<durable_link> link) noexcept : of(std::move(link)) {}
    pump_end(pump_end&&) noexcept = default;
    ~pump_end() {
      if (of) of->arrived_.discard();
    }
    std::shared_ptr<durable_link> of;
  };
  static asio::awaitable<void> pump(pump_end end);

  /// Null if it cannot be handled; then it is settled.
  exec::shared_message decoded(const std::shared_ptr<tracked>& mine) noexcept;

  /// The id of one that has none: the same each time it is delivered.
  [[nodiscard]] std::string place_of(const transport::delivery& one) const {
    return options_.stream + '-' + std::to_string(one.sequence);
  }

  void settle(leaving one) noexcept;

  bool counted(bool notified, count& as) noexcept {
    add(notified ? as : unsettled_);
    return notified;
  }

  /// One message fewer is in flight. A dead letter is in flight until it is stored.
  void one_less() noexcept;

  void ask_for_more() noexcept;

  void ask_soon();

  void report(const transport::delivery& of, const std::string& text) const noexcept {
    hub_->failed(name(),
                 std::make_exception_ptr(error(errc::transport_failed,
                                               "a message on '" + of.message.topic + "' " + text)));
  }

  void forget(const transport::delivery& one) noexcept {
    const std::lock_guard lock(mutex_);
    tries_.forget(one.sequence);
  }

  // Messages that are given up (durable_dead_letters.cpp).
  void serve_replays();
  void stop_replays() noexcept {
    if (replay_requests_) replay_requests_->stop();
    if (replays_) replays_->stop();
  }
  void end_without_dead_letter(const leaving& one, const std::string& why_not_stored) noexcept;
  void keep_for_later(const leaving& one) noexcept;
  static asio::awaitable<void> move_to_dead_letters(std::shared_ptr<durable_link> self,
                                                    leaving one);
  void report_dead_letter(const leaving& one, const dead_letter_result& result) noexcept;

  const receiving_end to_;
  const durable_options options_;
  const std::shared_ptr<const std::string> stream_;  // its name, which messages share
  const redelivery_rule rule_;
  const std::size_t window_;
  transport::receive_queue<std::shared_ptr<tracked>> arrived_;
  std::unique_ptr<transport::source> source_;
  std::shared_ptr<replay_server> replays_;  // null: there are no dead letters
  std::unique_ptr<transport::feed> replay_requests_;
  exec::timer asking_;
  mutable std::mutex mutex_;
  std::size_t held_ = 0;  // received and not settled
  tries tries_;
  refill refill_;
  count received_{0};
  std::uint64_t last_place_ = 0;  // for the thread of the transport
  count redelivered_{0};
  count admitted_{0};
  count undecodable_{0};
  count refused_{0};
  count acks_{0};
  count naks_{0};
  count dead_lettered_{0};
  count unsettled_{0};
  count shortened_{0};
};

}  // namespace msgbus::bridging
