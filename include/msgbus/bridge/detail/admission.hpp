#pragma once

/// How many commands run at once, and which of the others wait. Pure, but for the thread that waits
/// for room.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::bridging {

/// Lets `limit` of them run at once, and keeps `capacity` more, in order. Thread-safe.
///
/// States of one: offered -> running -> ended; offered -> waiting -> running -> ended; offered ->
/// refused. One waits only while `limit` run: so as long as any waits, the end of a running one
/// starts it. Closing it changes nothing for those that were taken.
template <class T>
class admission {
 public:
  admission(std::size_t limit, std::size_t capacity)
      : limit_(std::max<std::size_t>(limit, 1)), capacity_(std::max<std::size_t>(capacity, 1)) {}

  enum class verdict { runs, waits, refused };

  /// `runs`: the value is still the caller's, who starts it, and calls `ended` later. `refused`: it
  /// is still the caller's. With `may_wait` the thread waits for room, or until this is closed.
  verdict offer(T& value, bool may_wait) {
    std::unique_lock lock(mutex_);
    if (may_wait) room_.wait(lock, [&] { return closed_ || has_room(); });
    if (closed_ || !has_room()) return verdict::refused;
    const bool runs = running_ < limit_;
    if (runs) {
      ++running_;
    } else {
      waiting_.push_back(std::move(value));
    }
    ++taken_;
    return runs ? verdict::runs : verdict::waits;
  }

  /// One that ran has ended. Gives the one that runs in its place, if any: the caller starts it.
  [[nodiscard]] std::optional<T> ended() noexcept {
    std::optional<T> next;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        --running_;
      } else {
        next.emplace(std::move(waiting_.front()));
        waiting_.pop_front();
      }
    }
    room_.notify_one();
    return next;
  }

  /// How many were not refused.
  [[nodiscard]] std::uint64_t taken() const noexcept {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

  /// Refuses new ones, and lets go of the threads that wait for room.
  void close() noexcept {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
  }

 private:
  [[nodiscard]] bool has_room() const noexcept {
    return running_ < limit_ || waiting_.size() < capacity_;
  }

  const std::size_t limit_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<T> waiting_;  // empty while fewer than `limit_` run
  std::size_t running_ = 0;
  std::uint64_t taken_ = 0;
  bool closed_ = false;
};

}  // namespace msgbus::bridging
