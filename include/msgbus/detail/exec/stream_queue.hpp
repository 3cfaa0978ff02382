#pragma once

/// The queue of a stream: bounded, between handlers that add events and coroutines that take them.

#include <msgbus/detail/exec/wait_list.hpp>
#include <msgbus/options.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::exec {

/// The part that does not depend on the event type: waits, bounds and counts. Thread-safe.
class stream_queue_base {
 public:
  explicit stream_queue_base(const mailbox_options& options) noexcept;
  stream_queue_base(const stream_queue_base&) = delete;
  stream_queue_base& operator=(const stream_queue_base&) = delete;

  [[nodiscard]] overflow on_full() const noexcept { return on_full_; }
  /// The number of events in the queue.
  [[nodiscard]] std::size_t size() const;
  /// The number of events that the overflow policy rejected or dropped.
  [[nodiscard]] std::uint64_t lost() const;

  /// Refuses new events. Present ones can still be taken.
  void end() noexcept;

 protected:
  ~stream_queue_base() = default;

  // An event is passed as a pointer to it, and taken into a `std::optional` of its type.

  bool try_put_value(const void* value);
  bool try_take_value(void* into);
  static asio::awaitable<void> put_value(std::shared_ptr<stream_queue_base> self,
                                         const void* value);
  static asio::awaitable<void> take_value(std::shared_ptr<stream_queue_base> self, void* into);

 private:
  /// One attempt of a wait. It wakes the other side, after the lock.
  template <class Event>
  struct attempt {
    stream_queue_base& queue;
    Event event;
    wake_batch woken;
  };

  virtual void push(const void* value) = 0;
  virtual void pop_into(void* into) = 0;
  virtual void drop_first() noexcept = 0;

  bool try_put_locked(const void* value, wake_batch& woken);
  bool try_take_locked(void* into, wake_batch& woken);

  const std::size_t capacity_;
  const overflow on_full_;
  mutable std::mutex mutex_;
  std::size_t size_ = 0;
  std::uint64_t lost_ = 0;
  bool ended_ = false;
  wait_list putting_;
  wait_list taking_;
};

/// Thread-safe.
template <class T>
class stream_queue final : public stream_queue_base {
 public:
  using stream_queue_base::stream_queue_base;

  /// Adds a copy, or applies the overflow policy. False: the queue is full, and `put` waits.
  bool try_put(const T& value) { return try_put_value(std::addressof(value)); }

  /// Completes: when a copy was added, the overflow policy was applied, or the stream has ended.
  /// Throws: `operation_aborted`; the exceptions of copying.
  /// Cancellation: ends the wait; nothing was added (A9). The value must outlive the wait.
  static asio::awaitable<void> put(std::shared_ptr<stream_queue> self, const T& value) {
    return put_value(std::move(self), std::addressof(value));
  }

  /// Completes: with the next event; with `std::nullopt` once the stream has ended and is empty.
  /// Throws: `operation_aborted`; the exceptions of moving.
  /// Cancellation: ends the wait; nothing was taken (A9).
  static asio::awaitable<std::optional<T>> next(std::shared_ptr<stream_queue> self) {
    std::optional<T> taken;
    if (self) co_await take_value(std::move(self), std::addressof(taken));
    co_return taken;
  }

 private:
  void push(const void* value) override { events_.push_back(*static_cast<const T*>(value)); }
  void pop_into(void* into) override {
    static_cast<std::optional<T>*>(into)->emplace(std::move(events_.front()));
    events_.pop_front();
  }
  void drop_first() noexcept override { events_.pop_front(); }

  std::deque<T> events_;
};

}  // namespace msgbus::exec
