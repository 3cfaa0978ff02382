#pragma once

/// The queues that a mailbox uses where its order is not that of one lane.

#include <msgbus/exec/options.hpp>
#include <msgbus/exec/queued_message.hpp>

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

  /// Takes the message, unless the queue is full. `displaced` gets a message that had to go.
  [[nodiscard]] virtual bool try_push(shared_message& message, shared_message& displaced) = 0;

  /// A message, or null. With a null, `ready` may be true: one is just coming.
  [[nodiscard]] virtual shared_message pop() = 0;
  [[nodiscard]] virtual bool ready() const noexcept = 0;
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  /// How many were ever taken.
  [[nodiscard]] virtual std::uint64_t accepted() const noexcept = 0;
};

/// The queue for these options; null where a `block_queue` does.
[[nodiscard]] std::unique_ptr<box_queue> make_box_queue(const mailbox_options& options);

}  // namespace msgbus::exec
