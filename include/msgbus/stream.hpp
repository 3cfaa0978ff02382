#pragma once

/// Events as a sequence to loop over, instead of a handler.

#include <msgbus/detail/exec/stream_queue.hpp>
#include <msgbus/subscription.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace msgbus {

/// Receives copies of the events that its component handles, in their order:
///
///     auto events = consumer.stream_of<order_placed>();
///     while (std::optional<order_placed> event = co_await events.next()) { ... }
///
/// The queue of the stream is bounded. When it is full, `overflow::suspend` makes the component
/// wait for the loop, and with it the mailbox and the senders. The other policies lose events;
/// `lost` counts them.
///
/// Movable. Thread-safe. If several coroutines wait in `next`, each event goes to one of them.
template <class E>
class stream {
 public:
  /// A stream that has ended.
  stream() = default;

  /// Made by the components.
  stream(std::shared_ptr<exec::stream_queue<E>> queue, subscription from) noexcept
      : queue_(std::move(queue)), from_(std::move(from)) {}
  /// Leaves the other stream ended.
  stream(stream&&) noexcept = default;

  /// Closes the previous stream.
  stream& operator=(stream&& other) noexcept {
    close();
    queue_ = std::move(other.queue_);
    from_ = std::exchange(other.from_, {});
    return *this;
  }
  ~stream() { close(); }

  /// Waits for the next event.
  ///
  /// Completes: with the next event; with `std::nullopt` when the stream has ended. A stream ends
  /// when it is closed; or when its component is closed or destroyed, and all accepted events were
  /// delivered.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: throws Asio's `operation_aborted`; no event was taken (A9).
  /// Executor: the caller's, without suspending if an event is present.
  [[nodiscard]] asio::awaitable<std::optional<E>> next() {
    return exec::stream_queue<E>::next(queue_);
  }

  /// Ends the stream. Events in its queue are discarded.
  void close() noexcept {
    if (!queue_) return;
    queue_->end();
    from_.cancel();
  }

  /// The number of events in the queue.
  [[nodiscard]] std::size_t size() const { return queue_ ? queue_->size() : 0; }

  /// The number of events that the overflow policy has rejected or dropped.
  [[nodiscard]] std::uint64_t lost() const { return queue_ ? queue_->lost() : 0; }

 private:
  std::shared_ptr<exec::stream_queue<E>> queue_;
  subscription from_;
};

namespace async {
using msgbus::stream;
}  // namespace async

}  // namespace msgbus
