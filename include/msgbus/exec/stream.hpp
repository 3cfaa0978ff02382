#pragma once

/// Events as something to loop over, instead of a handler.

#include <msgbus/exec/stream_queue.hpp>
#include <msgbus/routing/subscription.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace msgbus {

/// Gets copies of the events that its component handles, in their order:
///
///     auto events = consumer.stream_of<order_placed>();
///     while (std::optional<order_placed> event = co_await events.next()) { ... }
///
/// It has a bounded queue. When that is full, `overflow::suspend` makes the component's delivery
/// wait for the loop (and with it the mailbox, and the senders); the others lose events, which
/// `lost` counts. Movable. Its functions may be called from any thread; several coroutines may wait
/// in `next`, and each event goes to one of them.
template <class E>
class stream {
 public:
  stream() = default;
  stream(std::shared_ptr<exec::stream_queue<E>> queue, subscription from) noexcept
      : queue_(std::move(queue)), from_(std::move(from)) {}
  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept {
    close();
    queue_ = std::move(other.queue_);
    from_ = std::exchange(other.from_, {});
    return *this;
  }
  ~stream() { close(); }

  /// Completes with the next event, at once if one is there; with nothing when the stream has
  /// ended: it was closed, or its component was closed or destroyed, and all that was accepted
  /// before has come. The caller resumes on its own executor. Cancelled it throws Asio's
  /// `operation_aborted`, and has taken no event (A9). Throws nothing else.
  [[nodiscard]] asio::awaitable<std::optional<E>> next() {
    return exec::stream_queue<E>::next(queue_);
  }

  /// Ends the stream; events that were not taken are gone.
  void close() noexcept {
    if (!queue_) return;
    queue_->end();
    from_.cancel();
  }

  /// How many events wait to be taken.
  [[nodiscard]] std::size_t size() const { return queue_ ? queue_->size() : 0; }

  /// How many events the overflow policy has refused or discarded.
  [[nodiscard]] std::uint64_t lost() const { return queue_ ? queue_->lost() : 0; }

 private:
  std::shared_ptr<exec::stream_queue<E>> queue_;
  subscription from_;
};

namespace async {
using msgbus::stream;
}  // namespace async

}  // namespace msgbus
