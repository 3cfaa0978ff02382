#pragma once

/// What a stream holds: a bounded queue between handlers that put in and coroutines that take out.

#include <msgbus/exec/options.hpp>
#include <msgbus/exec/waiter.hpp>

#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

namespace msgbus::exec {

/// Those who wait for one kind of change, first come first served; the queue's lock guards it.
class waiting_line {
 public:
  /// One who waits; lives in its coroutine's frame. Made and destroyed under the lock.
  struct place {
    std::optional<exec::waiter> waiter;
    bool called = false;
    std::list<place*>::iterator at;
  };

  waiting_line();
  ~waiting_line();

  void join(place& mine);
  void leave(place& mine) noexcept;

  /// Calls up to `many` who were not called.
  void call(std::size_t many) noexcept;

 private:
  std::list<place*> line_;
};

/// Thread-safe. Whoever is woken looks again, and takes or puts as the last thing it does: a wait
/// that is cancelled has taken nothing, and put nothing (A9).
template <class T>
class stream_queue {
 public:
  explicit stream_queue(const mailbox_options& options)
      : capacity_(options.capacity == 0 ? 1 : options.capacity), on_full_(options.on_full) {}

  [[nodiscard]] overflow on_full() const noexcept { return on_full_; }

  /// Puts a copy in, or does what the overflow policy says. False: it is full, and `put` waits.
  bool try_put(const T& value) {
    const std::lock_guard lock(mutex_);
    return try_put_locked(value);
  }

  /// Completes when there was room, or the stream has ended.
  asio::awaitable<void> put(const T& value) {
    place_in mine(*this, senders_);
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (try_put_locked(value)) co_return;
        mine.again();
      }
      co_await mine.place.waiter->wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) {
        throw asio::system_error(asio::error::operation_aborted, "stream");
      }
    }
  }

  /// The next one; nothing once the stream has ended and is empty.
  asio::awaitable<std::optional<T>> next() {
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.slot().is_connected()) {
      // Whoever may cancel this must not learn of something else first (A9).
      co_await asio::post(asio::use_awaitable);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) {
        throw asio::system_error(asio::error::operation_aborted, "stream");
      }
    }
    place_in mine(*this, receivers_);
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (!waiting_.empty()) {
          std::optional<T> taken(std::move(waiting_.front()));
          waiting_.pop_front();
          senders_.call(capacity_ - waiting_.size());
          co_return taken;
        }
        if (ended_) co_return std::nullopt;
        mine.again();
      }
      co_await mine.place.waiter->wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) {
        throw asio::system_error(asio::error::operation_aborted, "stream");
      }
    }
  }

  /// Nothing more comes in. What is there can still be taken.
  void end() noexcept {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    receivers_.call(static_cast<std::size_t>(-1));
    senders_.call(static_cast<std::size_t>(-1));
  }

  /// How many wait to be taken.
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  /// How many the overflow policy has refused or discarded.
  [[nodiscard]] std::uint64_t lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  /// A place in a line, for as long as a coroutine waits there.
  struct place_in {
    place_in(stream_queue& in, waiting_line& to) : queue(in), line(to) {
      const std::lock_guard lock(queue.mutex_);
      line.join(place);
    }
    ~place_in() {
      const std::lock_guard lock(queue.mutex_);
      line.leave(place);
      // This one may have been called for what it did not use.
      queue.receivers_.call(queue.waiting_.size());
      const std::size_t waiting = queue.waiting_.size();
      queue.senders_.call(waiting < queue.capacity_ ? queue.capacity_ - waiting : 0);
    }
    place_in(const place_in&) = delete;
    place_in& operator=(const place_in&) = delete;
    void again() {
      place.waiter.emplace();
      place.called = false;
    }

    stream_queue& queue;
    waiting_line& line;
    waiting_line::place place;
  };

  bool try_put_locked(const T& value) {
    if (ended_) {
      ++lost_;
      return true;
    }
    if (waiting_.size() >= capacity_) {
      switch (on_full_) {
        case overflow::suspend: return false;
        case overflow::reject:
        case overflow::drop_newest: ++lost_; return true;
        case overflow::drop_oldest:
          waiting_.pop_front();
          ++lost_;
          break;
      }
    }
    waiting_.push_back(value);
    receivers_.call(waiting_.size());
    return true;
  }

  const std::size_t capacity_;
  const overflow on_full_;
  mutable std::mutex mutex_;
  std::deque<T> waiting_;
  waiting_line senders_;
  waiting_line receivers_;
  bool ended_ = false;
  std::uint64_t lost_ = 0;
};

}  // namespace msgbus::exec
