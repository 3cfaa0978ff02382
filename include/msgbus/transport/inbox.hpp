#pragma once

/// What a transport's thread has given and a coroutine has not taken yet.

#include <msgbus/exec/waiter.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace msgbus::transport {

/// A bounded queue between threads that put in and one coroutine that takes everything out at once.
/// Thread-safe.
template <class T>
class inbox {
 public:
  explicit inbox(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// False if it is closed, or full; with `may_wait` the thread waits while it is full.
  bool put(T&& value, bool may_wait) {
    std::unique_lock lock(mutex_);
    if (may_wait) {
      room_.wait(lock, [&] { return closed_ || waiting_.size() < capacity_; });
    }
    if (closed_ || waiting_.size() >= capacity_) return false;
    waiting_.push_back(std::move(value));
    if (receiver_) receiver_->wake();
    return true;
  }

  /// Completes with all that waits, in order; with nothing once it is closed and empty, or when the
  /// wait is cancelled. For one coroutine.
  asio::awaitable<std::vector<T>> take() {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        receiver_.reset();
        if (!waiting_.empty() || closed_) break;
        receiver_.emplace();
      }
      co_await receiver_->wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) break;
    }
    std::vector<T> taken;
    {
      const std::lock_guard lock(mutex_);
      receiver_.reset();
      taken.swap(waiting_);
    }
    room_.notify_all();
    co_return taken;
  }

  /// Takes nothing new. What waits can still be taken.
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (receiver_) receiver_->wake();
    room_.notify_all();
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::vector<T> waiting_;
  bool closed_ = false;
  std::optional<exec::waiter> receiver_;  // the taker's, while it waits
};

}  // namespace msgbus::transport
