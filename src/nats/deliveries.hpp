#pragma once

/// The deliveries of a durable consumer: when to request how many, and when to report which of them
/// to JetStream. Pure: events in, actions out.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace msgbus::nats {

// --- Credit. -------------------------------------------------------------------------------------

/// States: asking (a request is at the server), at rest, unsure (the server refused, is silent, or
/// was away: JetStream is asked whether the consumer is still there, since a server does not answer
/// requests to one that is not), stopped. For one thread at a time.
class pull_credit {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::size_t largest_request = 1024;
  static constexpr std::chrono::seconds request_expires{5};  // then the server says so
  static constexpr std::chrono::seconds silence{8};          // if it does not, something was lost
  static constexpr std::chrono::milliseconds before_next_try{100};
  static constexpr std::chrono::milliseconds before_next_look{250};
  static constexpr int most_refusals = 50;

  enum class action {
    nothing,
    request,     ///< send a request for `requested()` messages, with `number()`
    look,        ///< ask JetStream whether the consumer is there
    try_later,   ///< call `try_again` after `before_next_try`
    look_later,  ///< call `look_again` after `before_next_look`
    end,         ///< the consumer is gone, or useless: `why()` says which
  };

  /// The state of the consumer, as JetStream reports it.
  enum class found { there, gone, unknown };

  explicit pull_credit(time_point now) noexcept : heard_(now) {}

  /// So many more may come.
  action add(std::size_t more, time_point now, bool is_away) noexcept;

  /// A message has come. False: it was not asked for, or comes too late, and is given back. Then
  /// `next` is `nothing`.
  [[nodiscard]] bool take(time_point now, bool is_away, action& next) noexcept;

  /// The server has said something of the request with this number.
  action answered(std::string_view number, std::string_view status, std::string_view text,
                  time_point now, bool is_away);

  /// JetStream has answered; `text` is its error, if it is one.
  action looked(found seen, std::string_view text, time_point now, bool is_away);

  action try_again(time_point now, bool is_away) noexcept;
  action look_again(time_point now) noexcept;
  /// To be called again and again, more often than `silence`.
  action watch(time_point now) noexcept;
  action connection_is_back(time_point now) noexcept;

  /// False if it was stopped before. Afterwards no action is given, and no message is taken.
  bool stop() noexcept;

  [[nodiscard]] bool is_stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool is_unsure() const noexcept { return unsure_; }
  [[nodiscard]] std::size_t requested() const noexcept { return requested_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

 private:
  action request(time_point now, bool is_away) noexcept;
  action become_unsure(time_point now) noexcept;

  std::size_t credit_ = 0;
  std::size_t requested_ = 0;  // of the request at the server
  std::uint64_t number_ = 0;
  bool unsure_ = false;
  bool stopped_ = false;
  int refusals_ = 0;  // in a row
  std::string refused_with_;
  std::string why_;
  time_point heard_;
};

// --- Words. --------------------------------------------------------------------------------------

/// Whether a message with this reply topic is one of a stream's.
[[nodiscard]] bool is_delivery(std::string_view reply_topic) noexcept;

/// The data of a delivery in the topic of its acknowledgement.
struct delivered {
  unsigned times = 1;
  std::uint64_t sequence = 0;
};
[[nodiscard]] delivered read_ack_topic(std::string_view ack_topic) noexcept;

inline constexpr std::string_view ack_text = "+ACK";
inline constexpr std::string_view term_text = "+TERM";
inline constexpr std::string_view in_progress_text = "+WPI";

/// Gives a delivery back, for later or, if the delay is not positive, for now.
class nak_text {
 public:
  explicit nak_text(std::chrono::nanoseconds delay = {}) noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 64> text_;
  std::size_t size_ = 0;
};

// --- Progress. -----------------------------------------------------------------------------------

/// The deliveries of one source that are not settled, in the order of their next report as in
/// progress, which is due every third of `ack_wait`. They need no timer each, because `ack_wait` is
/// the same for all. For one thread at a time.
class unsettled_list {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::nanoseconds;

  static constexpr duration shortest_period = std::chrono::milliseconds(1);
  /// As good as more, and can be added to any time.
  static constexpr duration longest_period = std::chrono::hours(1);
  /// Between two looks, while the connection is away.
  static constexpr duration while_away = std::chrono::milliseconds(100);

  /// In the list from `add` to `remove`, or never.
  class entry {
   public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    /// Changed by `add` and `remove` only.
    [[nodiscard]] bool is_listed() const noexcept { return is_listed_; }

   private:
    friend class unsettled_list;
    entry* before_ = nullptr;
    entry* after_ = nullptr;
    time_point due_;
    bool is_listed_ = false;
  };

  explicit unsettled_list(duration ack_wait) noexcept;
  unsettled_list(const unsettled_list&) = delete;
  unsettled_list& operator=(const unsettled_list&) = delete;

  /// When the server is told of an entry that is added now.
  [[nodiscard]] time_point first_time(time_point now) const noexcept { return now + period_; }
  void add(entry& added, time_point now) noexcept;
  /// Nothing happens if it was removed before.
  void remove(entry& removed) noexcept;
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  /// One whose time has come; its next time comes after a period. Null if there is none.
  [[nodiscard]] entry* next_due(time_point now) noexcept;
  /// When to look again, after a look at `now`: many that become due one after the other are told
  /// together. Of a list that is not empty.
  [[nodiscard]] time_point next_look(time_point now, bool is_away) const noexcept;

 private:
  void append(entry& added) noexcept;
  void unlink(entry& removed) noexcept;

  const duration period_;
  const duration between_looks_;
  entry* first_ = nullptr;
  entry* last_ = nullptr;
};

}  // namespace msgbus::nats
