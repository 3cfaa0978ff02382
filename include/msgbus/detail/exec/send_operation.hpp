#pragma once

/// A type-erased message on its way into mailboxes. A mailbox with space moves the message out of
/// it.

#include <msgbus/detail/exec/block_queue.hpp>
#include <msgbus/detail/exec/key_order.hpp>
#include <msgbus/detail/exec/queued_message.hpp>

#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace msgbus::exec {

/// Refers to a message, and moves from it only when a mailbox accepts it: a message that was not
/// accepted is unchanged (A9). A message that does not fit into a queue, or has a cause, is moved
/// into shared ownership at the first attempt.
class send_operation {
 public:
  /// The operations on a message of one type.
  struct source {
    void (*put)(void* message, void* topic, void* storage) noexcept;
    shared_message (*share)(void* message, void* topic);
    value_ref (*view)(const void* message, const void* topic) noexcept;
    std::string_view (*topic)(const void* message, const void* topic) noexcept;
  };

  /// `units`: its size in a `block_queue`; 0: it does not fit.
  send_operation(const source& from, std::uint32_t units, void* message,
                 void* topic = nullptr) noexcept
      : source_(&from), message_(message), topic_(topic), units_(units) {}
  /// A message that several mailboxes share: each takes a reference.
  explicit send_operation(shared_message all) noexcept : shared_(std::move(all)) {}

  /// Prepares the message for its storage in a queue (`for_place`), or for a queue of references;
  /// may allocate.
  void prepare(bool for_place) {
    if (shared_ || (for_place && units_ != 0 && !current_cause())) [[likely]]
      return;
    shared_ = shared_with_cause(source_->share(message_, topic_));
  }

  /// Gives the message another cause than the message that is handled.
  void set_cause(const shared_origin& cause) {
    if (!shared_) shared_ = source_->share(message_, topic_);
    shared_ = caused_by(shared_, cause);
  }

  /// The number of units, once it is prepared for a storage.
  [[nodiscard]] std::uint32_t units() const noexcept { return shared_ ? reference_units : units_; }
  /// Moves the message into a queue's storage.
  void put(void* storage) noexcept {
    if (shared_) {
      ::new (storage) queued_reference(std::move(shared_));
    } else {
      source_->put(message_, topic_, storage);
    }
  }
  /// Marks it as scheduled: a mailbox that is closing still accepts it.
  void mark_scheduled() noexcept { is_scheduled_ = true; }
  [[nodiscard]] bool is_scheduled() const noexcept { return is_scheduled_; }

  /// The message for a queue of references, once it is prepared for one; to be moved from.
  [[nodiscard]] shared_message& shared() noexcept { return shared_; }
  /// Its key in the target mailbox; null: that has no keys. To be moved from.
  [[nodiscard]] keyed_ptr& key() noexcept { return key_; }

  [[nodiscard]] value_ref message() const noexcept {
    return shared_ ? shared_->message() : source_->view(message_, topic_);
  }
  [[nodiscard]] std::string_view topic() const noexcept {
    return shared_ ? shared_->topic() : source_->topic(message_, topic_);
  }

  /// The number of units of a message that is stored as a `Queued` with these parts.
  template <class Queued, class... Parts>
  static constexpr std::uint32_t units_of =
      std::is_nothrow_constructible_v<Queued, Parts&&...>
          ? block_queue::units_for(sizeof(Queued), alignof(Queued))
          : 0;

 private:
  static constexpr std::uint32_t reference_units =
      block_queue::units_for(sizeof(queued_reference), alignof(queued_reference));

  const source* source_ = nullptr;
  void* message_ = nullptr;
  void* topic_ = nullptr;
  shared_message shared_;
  keyed_ptr key_;
  std::uint32_t units_ = 0;
  bool is_scheduled_ = false;
};

/// A send operation for an event, which must outlive it. Throws if the event is a valueless
/// variant: later would be too late.
template <class E>
[[nodiscard]] send_operation event_send_operation(E& event) {
  using made = queued_event<E>;
  static constexpr send_operation::source source{
      [](void* at, void*, void* storage) noexcept {
        ::new (storage) made(std::move(*static_cast<E*>(at)));
      },
      [](void* at, void*) -> shared_message {
        return made_shared<made>(
            [at](void* storage) { return ::new (storage) made(std::move(*static_cast<E*>(at))); });
      },
      [](const void* at, const void*) noexcept {
        return with_event(*static_cast<const E*>(at), [](value_ref value) { return value; });
      },
      [](const void*, const void*) noexcept { return std::string_view(); }};
  check_holds(event);
  return {source, send_operation::units_of<made, E>, std::addressof(event)};
}

/// As above, for a message with a topic.
template <class M>
[[nodiscard]] send_operation message_send_operation(M& message, std::string& topic) {
  using made = queued_topic_message<M>;
  static constexpr send_operation::source source{
      [](void* at, void* to, void* storage) noexcept {
        ::new (storage)
            made(std::move(*static_cast<M*>(at)), std::move(*static_cast<std::string*>(to)));
      },
      [](void* at, void* to) -> shared_message {
        return made_shared<made>([=](void* storage) {
          return ::new (storage)
              made(std::move(*static_cast<M*>(at)), std::move(*static_cast<std::string*>(to)));
        });
      },
      [](const void* at, const void*) noexcept {
        return with_event(*static_cast<const M*>(at), [](value_ref value) { return value; });
      },
      [](const void*, const void* to) noexcept {
        return std::string_view(*static_cast<const std::string*>(to));
      }};
  check_holds(message);
  return {source, send_operation::units_of<made, M, std::string>, std::addressof(message), &topic};
}

}  // namespace msgbus::exec
