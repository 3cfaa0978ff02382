#pragma once

/// The queues of mailboxes without the order of one consumer loop.

#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace msgbus::exec {

/// Bounded, for any number of threads on both sides.
class box_queue {
 public:
  box_queue() = default;
  virtual ~box_queue() = default;
  box_queue(const box_queue&) = delete;
  box_queue& operator=(const box_queue&) = delete;

  /// Adds the message, unless the queue is full. `displaced` receives a message that was removed
  /// for it.
  [[nodiscard]] virtual bool try_push(shared_message& message, shared_message& displaced) = 0;

  /// A message, or null. With null, `ready` may be true: a message is about to arrive.
  [[nodiscard]] virtual shared_message pop() = 0;
  [[nodiscard]] virtual bool ready() const noexcept = 0;
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  /// The number of messages taken so far.
  [[nodiscard]] virtual std::uint64_t accepted() const noexcept = 0;
};

/// The queue for these options; null where a `block_queue` is used.
[[nodiscard]] std::unique_ptr<box_queue> make_box_queue(const mailbox_options& options);

}  // namespace msgbus::exec
