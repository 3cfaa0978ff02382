#pragma once

/// The message of an awaited verb, in the frame of its coroutine. Its type is erased before, so the
/// coroutine is compiled once and not per type.

#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/detail/exec/send_operation.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace msgbus::exec {

/// Owns a message; inside the object if it is small and its move cannot throw.
class owned_message {
 public:
  static constexpr std::size_t size = 120;

  /// Made from the parts of a `Queued`.
  template <class Queued, class... Parts>
  explicit owned_message(std::in_place_type_t<Queued>, Parts&&... parts)
      : outside_(sizeof(Queued), alignof(Queued)) {
    if constexpr (sizeof(Queued) <= size && alignof(Queued) <= alignof(std::max_align_t) &&
                  std::is_nothrow_constructible_v<Queued, Parts&&...>) {
      at_ = ::new (place_) Queued(std::forward<Parts>(parts)...);
    } else {
      at_ = ::new (outside_.take()) Queued(std::forward<Parts>(parts)...);
    }
  }
  owned_message(owned_message&& other) noexcept;
  owned_message& operator=(owned_message&&) = delete;
  ~owned_message();

  /// The message. Throws as `std::visit` if it is a valueless variant.
  [[nodiscard]] const queued_message& get() const {
    if (is_valueless_) throw_valueless();
    return *at_;
  }
  [[nodiscard]] queued_message& get() {
    if (is_valueless_) throw_valueless();
    return *at_;
  }

  /// Moves the message into shared ownership. Afterwards this object may only be destroyed, unless
  /// the move throws.
  [[nodiscard]] shared_message share();

  /// The message as a send operation. Throws if it is a valueless variant.
  [[nodiscard]] send_operation as_send_operation();

 private:
  [[nodiscard]] bool is_inside() const noexcept {
    return static_cast<const void*>(at_) == static_cast<const void*>(place_);
  }

  template <class E>
  friend owned_message owned_event(E&& event);
  template <class M>
  friend owned_message owned_topic_message(M&& message, std::string_view topic);

  [[noreturn]] static void throw_valueless();

  movable_queued_message* at_;  // null once another has it
  recycled_memory outside_;
  alignas(std::max_align_t) std::byte place_[size];
  bool is_valueless_ = false;
};

/// An event that was made for a verb.
template <class E>
[[nodiscard]] owned_message owned_event(E&& event) {
  const bool is_valueless = !holds_value(event);
  owned_message made(std::in_place_type<queued_event<E>>, std::move(event));
  made.is_valueless_ = is_valueless;
  return made;
}

/// The same for a message with a topic.
template <class M>
[[nodiscard]] owned_message owned_topic_message(M&& message, std::string_view topic) {
  const bool is_valueless = !holds_value(message);
  owned_message made(std::in_place_type<queued_topic_message<M>>, std::move(message),
                     std::string(topic));
  made.is_valueless_ = is_valueless;
  return made;
}

}  // namespace msgbus::exec
