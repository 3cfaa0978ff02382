#pragma once

/// The queue of due times: the pure half of scheduled messages. It knows no executor, no message
/// and no clock; `now` is a parameter. For one thread at a time.

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/due_heap.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

namespace msgbus {

/// The treatment of late occurrences of a recurring schedule, which could not be sent in time: the
/// clock jumped, the executor was busy, or the mailbox was full.
enum class missed {
  skip,     ///< the default: all that are late become one; the next is in the future
  catch_up  ///< each is sent, one after the other, as fast as the mailbox takes them
};
std::ostream& operator<<(std::ostream& out, missed value);

namespace exec {

/// An entry of a `due_queue`. Also valid, for nothing, after the entry has gone.
struct due_key {
  std::uint32_t slot = 0;   // a small number, used again by later entries
  std::uint64_t order = 0;  // of the call, from 1; unique in its queue
  friend bool operator==(const due_key&, const due_key&) = default;
};

/// The next due time of a recurring schedule that was due at `due`, and whose message was sent at
/// `now`. It does not drift: every time is `due` plus a number of periods. With `skip`, the result
/// is later than `now`. Saturates. `period` is above zero.
[[nodiscard]] clock::time_point next_occurrence(clock::time_point due, clock::duration period,
                                                clock::time_point now, missed late) noexcept;

/// Times, earliest first, and equal ones in the order in which they were added.
///
/// States of an entry: waiting -> in hand (`take`) -> gone (`finish`), or waiting again (`again`);
/// from waiting and from in hand -> gone (`remove`). `time_point::max()` never comes.
class due_queue {
 public:
  using time_point = clock::time_point;

  due_queue() = default;
  /// As if so many entries had been added before: for tests.
  explicit due_queue(std::uint32_t added_before) noexcept : numbers_(added_before) {}

  struct taken {
    due_key key;
    time_point due;
  };

  /// Throws `std::bad_alloc`, and has then changed nothing.
  due_key add(time_point due);

  /// The earliest entry, if it is due at `now`. It is then in hand.
  [[nodiscard]] std::optional<taken> take(time_point now) noexcept;
  /// The earliest entry, whatever its time. It is then in hand.
  [[nodiscard]] std::optional<taken> take_first() noexcept;
  /// The entry in hand waits again, at its old position among equal times. Returns false if it was
  /// removed.
  bool again(const due_key& key, time_point due) noexcept;
  /// The entry in hand ends.
  void finish(const due_key& key) noexcept { remove(key); }

  /// Removes an entry that waits or is in hand. False if it has gone.
  bool remove(const due_key& key) noexcept;
  [[nodiscard]] bool contains(const due_key& key) const noexcept;
  /// The entry in this slot; one that contains nothing if it is free.
  [[nodiscard]] due_key in_slot(std::size_t at) const noexcept {
    return {static_cast<std::uint32_t>(at), slots_[at].order};
  }

  /// The waiting entries that never come, in the order in which they were added.
  [[nodiscard]] std::vector<due_key> never_due() const;
  /// The time of the earliest waiting entry; nothing if none waits.
  [[nodiscard]] std::optional<time_point> next() const noexcept;

  /// The slots of the entry that is likely to be taken next, and of the one behind it; `slots()`
  /// for none. Prefetches what the queue itself needs for them.
  struct upcoming {
    std::size_t first;
    std::size_t second;
  };
  [[nodiscard]] upcoming prefetch_upcoming() const noexcept;

  /// The number of entries that wait or are in hand.
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  /// A bound of `due_key::slot`.
  [[nodiscard]] std::size_t slots() const noexcept { return slots_.size(); }
  /// The number of entries of the heap, those of removed entries included.
  [[nodiscard]] std::size_t places() const noexcept { return heap_.size(); }

 private:
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  [[nodiscard]] bool lives(const due_heap::entry& there) const noexcept {
    return slots_[there.slot].number == there.number;
  }
  void drop_dead() noexcept;
  void remove_dead() noexcept;
  void number_anew();
  void shrink() noexcept;

  struct slot {
    std::uint64_t order = 0;   // of its entry; 0: free
    std::uint32_t number = 0;  // as well
    std::uint32_t next_free = nobody;
    bool waits = false;  // has an entry of the heap
  };

  due_heap heap_;  // has space for every entry, also for those in hand
  std::vector<slot> slots_;
  std::uint32_t first_free_ = nobody;
  std::size_t used_ = 0;
  std::size_t dead_ = 0;  // places of removed entries
  std::uint64_t orders_ = 0;
  // Unlike orders, numbers are small, and given anew when they are used up: no two entries of the
  // heap have the same, dead ones included.
  std::uint32_t numbers_ = 0;
};

}  // namespace exec

}  // namespace msgbus
