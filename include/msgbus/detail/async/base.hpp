#pragma once

/// The members that async consumers, subscribers and services have in common.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/component/base.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/requirements.hpp>
#include <msgbus/stream.hpp>
#include <msgbus/tracer.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace msgbus::async::detail {

/// Owns the core of a component. Every function may be called from any thread, also from inside
/// handlers.
template <class Core>
class base : public msgbus::component::base<Core> {
 public:
  /// Refuses new messages: awaited verbs throw `closed`, `send` and `post` return `rejected`, and
  /// senders that wait for space wake up, rejected. Scheduled messages that are not in the mailbox
  /// are abandoned. Accepted messages are still handled; then streams end (A10).
  void close() { this->core_->close(); }

  /// Closes the component and waits for every accepted message. `deadline` is the time from now.
  /// Its last part is the grace (`drain_options`). When the grace begins, `drain` discards the
  /// messages in the mailbox and cancels the handlers that run for the mailbox. Awaited verbs
  /// belong to their callers: those that still run at the deadline count as abandoned (A10). So do
  /// scheduled messages that are not in the mailbox: immediately or, with
  /// `drain_options::wait_for_scheduled`, when the grace begins.
  ///
  /// Completes: when every accepted message is settled, at the deadline at the latest.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: ends the wait with Asio's `operation_aborted`. The component stays closed, and
  /// handles the rest (A10).
  /// Executor: the caller's; time is that of its context's clock.
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline) {
    return component_core::drain(this->core_, deadline, {});
  }

  /// As above, with options: `drain(5s, {.grace = 500ms})`.
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline,
                                                    drain_options options) {
    return component_core::drain(this->core_, deadline, options);
  }

  /// As above, without a deadline: `drain({.wait_for_scheduled = true})`. Nothing is cancelled:
  /// `drain` waits as long as the handlers and, with `drain_options::wait_for_scheduled`, the
  /// scheduled messages need. Messages that are never due (`forever`) are abandoned immediately. A
  /// grace has no effect.
  ///
  /// Completes: when every accepted message is settled.
  /// Throws: `would_deadlock` if a handler calls it that the component's mailbox waits for;
  /// `operation_aborted`.
  /// Cancellation: ends the wait with Asio's `operation_aborted`. The component stays closed, and
  /// handles the rest (A10).
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<drain_report> drain(drain_options options) {
    return component_core::drain(this->core_, options);
  }

  /// Sets the default policy of handlers that are attached from now on: it applies where their own
  /// policy leaves a member out. A handler cannot switch off a member. Each handler has its own
  /// limits, unless the policy shares the objects.
  ///
  /// Throws: `unsupported` if the policy has an executor, since the component has one, or `once`,
  /// which names one handler; `bad_arguments` for a value that means nothing.
  void default_policy(policy handler_policy) {
    this->core_->set_default_policy(std::move(handler_policy));
  }

  /// The outcomes of all messages so far (A7). Exact while the component is quiet.
  [[nodiscard]] counters stats() const { return this->core_->stats(); }

  /// The number of messages that wait in the mailbox.
  [[nodiscard]] std::size_t waiting() const { return this->core_->mailbox.size(); }

  /// The number of scheduled messages that are not yet in the mailbox. A recurring schedule counts
  /// only while one of its messages is due and not yet in the mailbox.
  [[nodiscard]] std::size_t due_later() const { return this->core_->due_later(); }

  /// The number of messages without a handler (D3).
  [[nodiscard]] std::uint64_t unrouted() const { return stats().unrouted; }

  /// The executor that runs the handlers (A2).
  [[nodiscard]] asio::any_io_executor get_executor() const { return this->core_->executor(); }

 protected:
  using msgbus::component::base<Core>::base;

  static void end_of(exec::stream_queue_base& queue) { queue.end(); }

  /// Makes a stream; `attach(queue)` attaches its handler.
  template <class E, class Attach>
  stream<E> make_stream(const mailbox_options& options, Attach attach) {
    auto queue = std::make_shared<exec::stream_queue<E>>(options);
    stream<E> made(queue, attach(queue));
    this->core_->template on_quiet<exec::stream_queue_base, end_of>(queue);
    return made;
  }
};

/// A handler that puts copies into a stream. It waits while the queue of the stream is full.
template <class E>
auto into_stream(std::shared_ptr<exec::stream_queue<E>> queue) {
  return [queue = std::move(queue)](const E& event) {
    return exec::stream_queue<E>::put(queue, event);
  };
}

}  // namespace msgbus::async::detail
