#pragma once

/// Deadlines, the earliest one first. Pure: no clock, no lock.

#include <chrono>
#include <cstddef>
#include <vector>

namespace msgbus::exec {

/// A heap of entries that their owners keep. For one thread at a time.
class deadline_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// In the queue from `add` to `remove` or `pop_due`.
  class entry {
   public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    [[nodiscard]] bool is_queued() const noexcept { return place_ != 0; }
    /// The deadline of an entry in the queue.
    [[nodiscard]] time_point at() const noexcept { return at_; }

   private:
    friend class deadline_queue;
    time_point at_;
    std::size_t place_ = 0;  // in the heap, from 1; 0: it is in none
  };

  deadline_queue() = default;
  deadline_queue(const deadline_queue&) = delete;
  deadline_queue& operator=(const deadline_queue&) = delete;

  /// Adds an entry that is in no queue. Throws `std::bad_alloc`.
  void add(entry& added, time_point at);
  /// Removes the entry. No effect if it is not in the queue.
  void remove(entry& removed) noexcept;

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  /// The earliest one; null if there is none.
  [[nodiscard]] entry* first() const noexcept { return heap_.empty() ? nullptr : heap_.front(); }
  /// Removes the earliest one whose time has come; null if there is none.
  [[nodiscard]] entry* pop_due(time_point now) noexcept;

 private:
  void put(entry& one, std::size_t index) noexcept;
  void rise(entry& one, std::size_t index) noexcept;
  void sink(entry& one, std::size_t index) noexcept;

  std::vector<entry*> heap_;
};

}  // namespace msgbus::exec
