#pragma once

/// The queues of mailboxes without the order of one consumer loop.

#include <msgbus/detail/exec/key_order.hpp>
#include <msgbus/detail/exec/key_rules.hpp>
#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace msgbus::exec {

/// Bounded, for any number of threads on both sides. With key rules, messages of one key are taken
/// one at a time and in order (P5); without, the order is that of the kind of queue.
class reference_queue {
 public:
  reference_queue() = default;
  virtual ~reference_queue() = default;
  reference_queue(const reference_queue&) = delete;
  reference_queue& operator=(const reference_queue&) = delete;

  /// From now on messages get a key. No effect on a queue for one loop.
  void order_by(const routing::domain& guarded, std::shared_ptr<const key_rule> rule);
  void forget_rules(const routing::domain& guarded) noexcept { rules_.clear(guarded); }

  /// Under a guard: makes the message's key, if it needs one and has none.
  void prepare_key(const shared_message& message, keyed_ptr& key) const {
    if (!key && rules_.has_any()) key = rules_.key(message->message(), message->topic());
  }

  /// Adds the message, unless the queue is full. `key` is the prepared key; it is moved from only
  /// if the message is. `displaced` receives a message that was removed for this one. `reserved` is
  /// the part of the capacity that messages elsewhere use.
  [[nodiscard]] virtual bool try_push(shared_message& message, keyed_ptr& key,
                                      shared_message& displaced, std::size_t reserved) = 0;
  [[nodiscard]] bool try_push(shared_message& message, keyed_ptr& key, shared_message& displaced) {
    return try_push(message, key, displaced, 0);
  }
  [[nodiscard]] bool try_push(shared_message& message, shared_message& displaced,
                              std::size_t reserved = 0) {
    keyed_ptr none;
    return try_push(message, none, displaced, reserved);
  }

  /// A message, or null. With null, `ready` may be true: a message is about to arrive. `key`: null,
  /// or to be released when the message is done.
  [[nodiscard]] virtual shared_message pop(keyed_ptr& key) = 0;
  [[nodiscard]] shared_message pop() {
    keyed_ptr none;
    return pop(none);
  }
  /// The message with this key is done.
  virtual void release(keyed_ptr key) noexcept = 0;

  /// Whether a message can be taken, or is about to arrive. Sequentially consistent.
  [[nodiscard]] bool ready() const noexcept { return takeable() != 0; }
  /// An upper bound for the messages that can be taken concurrently.
  [[nodiscard]] virtual std::size_t takeable() const noexcept = 0;
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  /// The number of messages taken so far.
  [[nodiscard]] virtual std::uint64_t accepted() const noexcept = 0;

 private:
  /// The first rule is about to be added. False: for one loop, without effect.
  virtual bool begin_keys() noexcept = 0;

  key_rules rules_;
};

/// The queue for these options; null where a `block_queue` is used.
[[nodiscard]] std::unique_ptr<reference_queue> make_reference_queue(const mailbox_options& options);

}  // namespace msgbus::exec
