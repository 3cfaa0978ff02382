#pragma once

/// The limit for concurrent commands, and the queue of the others. Pure, except for the thread that
/// waits for space.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::bridging {

/// Runs `limit` commands concurrently, and keeps `capacity` more, in order. Thread-safe.
///
/// States of a command: offered -> running -> ended; offered -> waiting -> running -> ended;
/// offered -> refused. A command waits only while `limit` commands run: so while any waits, the end
/// of a running one starts it. Closing changes nothing for accepted commands.
template <class T>
class admission {
 public:
  admission(std::size_t limit, std::size_t capacity)
      : limit_(std::max<std::size_t>(limit, 1)), capacity_(std::max<std::size_t>(capacity, 1)) {}

  enum class verdict { runs, waits, refused };

  /// `runs`: the value stays with the caller, who starts it, and calls `ended` later. `refused`: it
  /// stays with the caller. With `may_wait`, the thread waits for space, or until this object is
  /// closed.
  verdict offer(T& value, bool may_wait) {
    std::unique_lock lock(mutex_);
    if (may_wait) space_.wait(lock, [&] { return closed_ || has_space(); });
    if (closed_ || !has_space()) return verdict::refused;
    const bool runs = running_ < limit_;
    if (runs) {
      ++running_;
    } else {
      waiting_.push_back(std::move(value));
    }
    ++taken_;
    return runs ? verdict::runs : verdict::waits;
  }

  /// A running command has ended. Returns its successor, if any: the caller starts it.
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
    space_.notify_one();
    return next;
  }

  /// The number of accepted commands.
  [[nodiscard]] std::uint64_t taken() const noexcept {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

  /// Refuses new commands, and wakes the threads that wait for space.
  void close() noexcept {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    space_.notify_all();
  }

 private:
  [[nodiscard]] bool has_space() const noexcept {
    return running_ < limit_ || waiting_.size() < capacity_;
  }

  const std::size_t limit_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable space_;
  std::deque<T> waiting_;  // empty while fewer than `limit_` run
  std::size_t running_ = 0;
  std::uint64_t taken_ = 0;
  bool closed_ = false;
};

}  // namespace msgbus::bridging
