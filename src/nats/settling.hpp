#pragma once

/// What JetStream is told of a delivery, and when. Pure.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace msgbus::nats {

// --- Words. --------------------------------------------------------------------------------------

/// Whether a message with this reply topic is one of a stream's.
[[nodiscard]] bool is_delivery(std::string_view reply_topic) noexcept;

/// What the topic of its acknowledgement says of it.
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

/// The deliveries of one source that are not settled, in the order in which the server must be told
/// that they are in progress: of each every third of its patience. There is no timer for each, as
/// the patience is the same for all. For one thread at a time.
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
