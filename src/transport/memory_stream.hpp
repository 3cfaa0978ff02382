#pragma once

// A stream of the memory transport, and its durable consumers: which message is delivered next, to
// which source, and when. Pure: no threads, no executors, and no clock but a given `now`.

#include <msgbus/transport/transport.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::transport::memory {

using time_point = std::chrono::steady_clock::time_point;
using message = std::shared_ptr<const envelope>;
using taker_id = std::uint64_t;
using owner_id = std::uint64_t;

/// The messages that a stream keeps. Their sequence numbers have gaps where messages were erased.
class message_log {
 public:
  message_log(duration max_age, std::int64_t max_messages) noexcept
      : max_age_(max_age), max_messages_(max_messages) {}

  std::uint64_t append(message added, time_point now);
  void drop_old(time_point now);
  /// False if it is not there.
  bool erase(std::uint64_t sequence) noexcept;

  /// Null if the message was dropped or erased, or is not stored yet.
  [[nodiscard]] const message* find(std::uint64_t sequence) const noexcept;
  /// The sequence of the first message from there on; `end()` if there is none.
  [[nodiscard]] std::uint64_t next_from(std::uint64_t sequence) const noexcept;
  /// When a message that is there was stored.
  [[nodiscard]] time_point stored_at(std::uint64_t sequence) const noexcept {
    return kept_[static_cast<std::size_t>(sequence - first_)].at;
  }
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return first_ + kept_.size(); }

 private:
  struct kept {
    message one;  // null: it was erased
    time_point at;
  };

  void drop_front() noexcept;

  const duration max_age_;
  const std::int64_t max_messages_;
  std::uint64_t first_ = 1;
  std::deque<kept> kept_;   // the first one was not erased
  std::uint64_t size_ = 0;  // without those that were erased
};

/// One delivery for a taker.
struct handout {
  taker_id to;
  std::uint64_t sequence;
  unsigned times;
  message one;
};

/// A durable consumer. Takers share its messages: those with credit receive them in turn.
///
/// A message is new, unsettled or settled. An unsettled message has a time at which it is
/// redelivered: after `ack_wait`, or after the delay of a nak. While its delivery object exists and
/// its taker's connection is present, that time is `never`.
class durable_state {
 public:
  durable_state(std::string filter, duration ack_wait) noexcept
      : filter_(std::move(filter)), ack_wait_(ack_wait) {}

  [[nodiscard]] const std::string& filter() const noexcept { return filter_; }
  /// For later deliveries.
  void set_ack_wait(duration patience) noexcept { ack_wait_ = patience; }

  void join(taker_id id, owner_id owner);
  void leave(taker_id id);
  void ask(taker_id id, std::size_t more);
  /// A taker whose connection is away receives nothing.
  void pause(taker_id id, bool away);
  /// `away`: the connection of this owner is lost, and the `ack_wait` of its deliveries begins.
  /// Otherwise it is back, and its existing deliveries are in progress again.
  void set_away(owner_id owner, bool away, time_point now);

  /// The next delivery, redeliveries first; empty if none is due, or no taker has credit. Uses one
  /// credit of the taker.
  [[nodiscard]] std::optional<handout> next(const message_log& log, time_point now);

  /// The time of the next redelivery; empty if none is planned.
  [[nodiscard]] std::optional<time_point> next_due() const;
  [[nodiscard]] bool waits(taker_id id) const noexcept;

  /// Whether this is the latest delivery of the message, held by a taker and not settled.
  [[nodiscard]] bool holds(std::uint64_t sequence, unsigned times) const;

  /// For an ack or a term, also a late one of an earlier delivery.
  void settle(std::uint64_t sequence);
  // The next four have no effect if the message was settled, or redelivered since.
  void nak(std::uint64_t sequence, unsigned times, time_point due);
  /// The delivery object exists from now on.
  void begin(std::uint64_t sequence, unsigned times);
  /// The delivery object was destroyed unsettled: `ack_wait` begins.
  void let_go(std::uint64_t sequence, unsigned times, time_point now);
  /// The delivery has not reached its taker, and is not counted.
  void give_back(std::uint64_t sequence, unsigned times);

  /// The owner has closed: its deliveries are redelivered at once.
  void abandon(owner_id owner);

  [[nodiscard]] std::size_t unsettled() const noexcept { return unsettled_.size(); }

 private:
  struct taker {
    taker_id id;
    owner_id owner;
    std::size_t credit = 0;
    bool away = false;
  };
  struct entry {
    unsigned times;
    time_point due;
    owner_id owner;
    bool held;           // by a taker; otherwise it waits until `due`
    bool lives = false;  // its delivery object exists, unsettled
  };
  using entries = std::map<std::uint64_t, entry>;

  [[nodiscard]] const taker* find(taker_id id) const noexcept;
  [[nodiscard]] taker* find(taker_id id) noexcept;
  [[nodiscard]] taker* whose_turn() noexcept;
  handout give(taker& to, std::uint64_t sequence, message one, time_point now);
  [[nodiscard]] entries::iterator last_delivery(std::uint64_t sequence, unsigned times);
  void set_due(entries::iterator of, time_point due);

  const std::string filter_;
  duration ack_wait_;
  std::vector<taker> takers_;
  std::size_t turn_ = 0;
  std::uint64_t next_new_ = 0;
  entries unsettled_;
  std::set<std::pair<time_point, std::uint64_t>> due_;
};

class memory_stream {
 public:
  explicit memory_stream(stream_options options);

  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] bool takes(std::string_view topic) const noexcept;
  [[nodiscard]] bool overlaps(std::string_view pattern) const noexcept;
  void add_topics(const std::vector<std::string>& topics);

  stored store(message added, time_point now);
  /// The first message from this sequence on.
  struct found {
    message one;
    std::uint64_t sequence;
    duration age;
  };
  [[nodiscard]] std::optional<found> read(std::uint64_t from, time_point now);
  bool erase(std::uint64_t sequence, time_point now);

  [[nodiscard]] std::shared_ptr<durable_state> find(const std::string& durable) const;
  std::shared_ptr<durable_state> make(const std::string& durable, std::string filter,
                                      duration ack_wait);
  [[nodiscard]] const std::map<std::string, std::shared_ptr<durable_state>>& durables()
      const noexcept {
    return durables_;
  }

  /// The next delivery of a durable consumer of this stream.
  [[nodiscard]] std::optional<handout> next(durable_state& of, time_point now);

 private:
  void forget_ids(time_point now);

  stream_options options_;
  message_log log_;
  std::map<std::string, std::uint64_t, std::less<>> ids_;       // within the duplicate window
  std::deque<std::pair<time_point, std::string>> ids_by_time_;  // the same ids
  std::map<std::string, std::shared_ptr<durable_state>> durables_;
};

}  // namespace msgbus::transport::memory
