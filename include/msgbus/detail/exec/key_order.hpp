#pragma once

/// The order of messages by key: those of one key one after the other, the keys side by side (P5).
/// A pure state machine, for one thread at a time. It allocates nothing for a message, and a key
/// without messages costs nothing: docs/design/0022-per-key-order.md.

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/core/node_table.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/exec/queued_message.hpp>

#include <cstddef>
#include <exception>
#include <memory>

namespace msgbus::exec {

/// A message with its key. One that waits is a node of the machine.
class keyed_message : public msgbus::detail::table_node<keyed_message> {
 public:
  virtual ~keyed_message();
  keyed_message(const keyed_message&) = delete;
  keyed_message& operator=(const keyed_message&) = delete;

  [[nodiscard]] bool is_same_key(const keyed_message& other) const {
    return hash() == other.hash() && is_same_type(kind_, other.kind_) && equals(other);
  }

  shared_message message;
  std::exception_ptr failure;  // of the function that should have made the key

 protected:
  /// `kind`: the type of the key.
  keyed_message(type_key kind, std::size_t hash) noexcept
      : table_node(static_cast<std::size_t>(mix(hash))), kind_(kind) {}

 private:
  friend class key_order;

  /// Compares with a key of the same type.
  [[nodiscard]] virtual bool equals(const keyed_message& other) const = 0;

  const type_key kind_;
  keyed_message* behind_ = nullptr;  // of the same key
  // Of all that wait, in order of arrival.
  keyed_message* older_ = nullptr;
  keyed_message* newer_ = nullptr;
  // Of the first of a key, which is in the table:
  keyed_message* last_ = nullptr;  // of its chain
  keyed_message* ready_before_ = nullptr;
  keyed_message* ready_behind_ = nullptr;
  bool in_hand_ = false;
};

using keyed_ptr = std::unique_ptr<keyed_message>;

class key_order {
 public:
  key_order() noexcept = default;
  key_order(const key_order&) = delete;
  key_order& operator=(const key_order&) = delete;
  ~key_order();

  /// Adds a message behind all others of its key.
  void add(keyed_ptr added) noexcept;

  /// The first message of the key that has been ready longest; null if none is ready. Until its
  /// `release`, no other message of this key is taken.
  [[nodiscard]] keyed_ptr take() noexcept;
  /// The message was handled: the next one of its key is ready.
  void release(keyed_message& in_hand) noexcept;

  /// The message that has waited longest, whatever its key; null if none waits.
  [[nodiscard]] keyed_ptr drop_oldest() noexcept;

  /// The number of messages that wait; of keys that are ready; and of keys with a message that
  /// waits or is in hand.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t ready() const noexcept { return ready_; }
  [[nodiscard]] std::size_t keys() const noexcept { return table_.size(); }

 private:
  [[nodiscard]] keyed_message* first_of_key(const keyed_message& of) const {
    return table_.find(of.hash(),
                       [&of](const keyed_message& each) { return each.is_same_key(of); });
  }
  void replace_first(keyed_message& first, keyed_message* by) noexcept;

  void make_ready(keyed_message& first) noexcept;
  void unmake_ready(keyed_message& first) noexcept;
  void count_waiting(keyed_message& added) noexcept;
  void uncount_waiting(keyed_message& gone) noexcept;

  msgbus::detail::node_table<keyed_message> table_;  // of keys: the first message of each

  keyed_message* oldest_ = nullptr;
  keyed_message* newest_ = nullptr;
  std::size_t waiting_ = 0;

  keyed_message* first_ready_ = nullptr;
  keyed_message* last_ready_ = nullptr;
  std::size_t ready_ = 0;
};

}  // namespace msgbus::exec
