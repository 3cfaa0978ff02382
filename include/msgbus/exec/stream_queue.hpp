#pragma once

/// The queue of a stream: bounded, between handlers that put in and coroutines that take out.

#include <msgbus/exec/options.hpp>
#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::exec {

/// What does not depend on the type of the events: waits, bounds and counts. Thread-safe.
class stream_queue_base {
 public:
  explicit stream_queue_base(const mailbox_options& options) noexcept;
  stream_queue_base(const stream_queue_base&) = delete;
  stream_queue_base& operator=(const stream_queue_base&) = delete;

  [[nodiscard]] overflow on_full() const noexcept { return on_full_; }
  /// How many events wait to be taken.
  [[nodiscard]] std::size_t size() const;
  /// How many events the overflow policy has refused or discarded.
  [[nodiscard]] std::uint64_t lost() const;

  /// Nothing more comes in. Events that are there can still be taken.
  void end() noexcept;

 protected:
  ~stream_queue_base() = default;

  // An event is put by a pointer to it, and taken into a `std::optional` of its type.

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

  /// Puts a copy in, or does what the overflow policy says. False: it is full, and `put` waits.
  bool try_put(const T& value) { return try_put_value(std::addressof(value)); }

  /// Completes: when a copy was put in, or the overflow policy was obeyed, or the stream has ended.
  /// Throws: `operation_aborted`; what copying throws.
  /// Cancellation: has put nothing (A9). The value outlives the wait.
  static asio::awaitable<void> put(std::shared_ptr<stream_queue> self, const T& value) {
    return put_value(std::move(self), std::addressof(value));
  }

  /// Completes: with the next event; with nothing once the stream has ended and is empty, or there
  /// is none.
  /// Throws: `operation_aborted`; what moving throws.
  /// Cancellation: has taken nothing (A9).
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
