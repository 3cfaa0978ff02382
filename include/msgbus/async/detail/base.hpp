#pragma once

/// The members that async consumers, subscribers and services have in common.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/component/base.hpp>
#include <msgbus/exec/stream.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace msgbus::async::detail {

/// Owns a component's core. Every function may be called from any thread, also from inside
/// handlers.
template <class Core>
class base : public msgbus::component::base<Core> {
 public:
  /// Takes nothing new: verbs throw `closed`, `send` and `post` are rejected, and senders that wait
  /// for room wake up, rejected. What was accepted is still handled; then streams end (A10).
  void close() { this->core_->close_to_new(); }

  /// Closes, and completes when everything that was accepted has been handled, at the deadline at
  /// the latest. When the grace begins, which is the last part of that time (`drain_options`), it
  /// discards what waits and cancels what runs in the mailbox's lanes. Awaited verbs belong to
  /// their callers: those that still run at the deadline count as abandoned. The caller resumes on
  /// its own executor; the clock is that of its context. Throws nothing but Asio's
  /// `operation_aborted`, if it is cancelled itself: the component is then closed, and goes on
  /// handling (A10).
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline) {
    return core::drain(this->core_, deadline, {});
  }
  /// The same with a grace of one's own: `drain(5s, {.grace = 500ms})`.
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline,
                                                    drain_options how) {
    return core::drain(this->core_, deadline, how);
  }

  /// What became of the messages so far (A7). Exact at quiet moments.
  [[nodiscard]] counters stats() const { return this->core_->stats(); }

  /// How many messages wait in the mailbox.
  [[nodiscard]] std::size_t waiting() const { return this->core_->mailbox.size(); }

  /// How many messages nobody handled (D3).
  [[nodiscard]] std::uint64_t unrouted() const { return stats().unrouted; }

  /// Where handlers run (A2).
  [[nodiscard]] asio::any_io_executor get_executor() const { return this->core_->executor(); }

 protected:
  using msgbus::component::base<Core>::base;

  static void end_of(exec::stream_queue_base& queue) { queue.end(); }

  /// A stream whose handler `attach(queue)` attaches.
  template <class E, class Attach>
  stream<E> make_stream(const mailbox_options& options, Attach attach) {
    auto queue = std::make_shared<exec::stream_queue<E>>(options);
    stream<E> made(queue, attach(queue));
    this->core_->template on_quiet<exec::stream_queue_base, end_of>(queue);
    return made;
  }
};

/// A handler that puts copies into a stream, and waits where the stream does.
template <class E>
auto into_stream(std::shared_ptr<exec::stream_queue<E>> queue) {
  return [queue = std::move(queue)](const E& event) {
    return exec::stream_queue<E>::put(queue, event);
  };
}

}  // namespace msgbus::async::detail
