#pragma once

/// The queue of what a link has received, between a transport's thread and a coroutine.

#include <msgbus/detail/exec/wait_list.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace msgbus::transport {

/// A bounded queue. Threads put values in; one coroutine takes all values out at once. Thread-safe.
/// When it is destroyed, no thread may be inside `put`; threads that might be own a share of it.
template <class T>
class receive_queue {
 public:
  explicit receive_queue(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// A local of a coroutine that takes repeatedly. Closes the receive_queue when the coroutine
  /// ends, also if its context is destroyed while it awaits something else (A12).
  class taker {
   public:
    explicit taker(receive_queue& of) noexcept : of_(of) {}
    taker(const taker&) = delete;
    taker& operator=(const taker&) = delete;
    ~taker() { of_.close(); }

   private:
    receive_queue& of_;
  };

  /// False if the receive_queue is closed or full; `value` is then unchanged. With `may_wait` the
  /// thread waits while it is full, until values are taken or it is closed.
  bool put(T&& value, bool may_wait) {
    exec::wake_batch woken;
    std::unique_lock lock(mutex_);
    if (may_wait) {
      space_.wait(lock, [&] { return closed_ || waiting_.size() < capacity_; });
    }
    if (closed_ || waiting_.size() >= capacity_) return false;
    waiting_.push_back(std::move(value));
    taking_.wake(1, woken);
    return true;
  }

  /// Completes with all queued values, in order; with none once the receive_queue is closed and
  /// empty. A cancelled wait completes with none, and has taken none (A9). If the context is
  /// destroyed during the wait, the receive_queue is closed: otherwise threads would wait for ever
  /// in `put` (A12). For one coroutine.
  asio::awaitable<std::vector<T>> take() {
    closed_unless_ended taking{*this};
    exec::wait_list::node mine(taking_);
    for (;;) {
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) break;
      if (mine.try_or_join(&take_locked, &taking)) break;
      co_await mine.wait();
    }
    taking.ended = true;
    space_.notify_all();
    co_return std::move(taking.taken);
  }

  /// Refuses new values, and ends all waits. Queued values can still be taken.
  void close() noexcept {
    exec::wake_batch woken;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    taking_.wake(exec::wait_list::all, woken);
    space_.notify_all();
  }

  /// `close`, and destroys the queued values.
  void discard() noexcept {
    close();
    std::vector<T> left;  // destroyed after the lock
    {
      const std::lock_guard lock(mutex_);
      left.swap(waiting_);
    }
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  /// A local of `take`, whose frame a context may destroy.
  struct closed_unless_ended {
    receive_queue& of;
    std::vector<T> taken;
    bool ended = false;
    explicit closed_unless_ended(receive_queue& taken_from) noexcept : of(taken_from) {}
    closed_unless_ended(const closed_unless_ended&) = delete;
    closed_unless_ended& operator=(const closed_unless_ended&) = delete;
    ~closed_unless_ended() {
      if (!ended) of.close();
    }
  };

  static bool take_locked(void* taking, bool) noexcept {
    auto& mine = *static_cast<closed_unless_ended*>(taking);
    mine.taken.swap(mine.of.waiting_);
    return !mine.taken.empty() || mine.of.closed_;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable space_;
  std::vector<T> waiting_;
  bool closed_ = false;
  exec::wait_list taking_{mutex_};
};

}  // namespace msgbus::transport
