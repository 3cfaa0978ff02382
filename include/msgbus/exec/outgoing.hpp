#pragma once

/// A message on its way into mailboxes: what they take it from, once they have room.

#include <msgbus/exec/carried.hpp>
#include <msgbus/exec/ring.hpp>

#include <new>
#include <type_traits>
#include <utility>

namespace msgbus::exec {

/// Whether a message is carried in a slot itself: it must fit, and moving it must not fail.
template <class Carried, class... Parts>
inline constexpr bool fits_slot =
    sizeof(Carried) <= sizeof(ring::slot::place) && alignof(Carried) <= alignof(void*) &&
    std::is_nothrow_constructible_v<Carried, Parts&&...>;

/// An event, moved from where it is once a mailbox takes it.
template <class E>
class outgoing_event {
 public:
  /// Throws if it is a variant that holds nothing: later it would be too late.
  explicit outgoing_event(E& event) : event_(event) { check_holds(event); }

  /// Gets ready for a slot, or for a queue of pointers; may allocate. What is being handled here
  /// goes along as the cause.
  void prepare(bool for_slot) {
    if ((!for_slot || !fits_slot<carried_event<E>, E> || current_cause()) && !boxed_) {
      boxed_ = with_cause(std::make_unique<carried_event<E>>(std::move(event_)));
    }
  }
  void put(void* place) noexcept {
    if constexpr (fits_slot<carried_event<E>, E>) {
      if (!boxed_) {
        ::new (place) carried_event<E>(std::move(event_));
        return;
      }
    }
    ::new (place) carried_elsewhere<owned_message>(std::move(boxed_));
  }
  [[nodiscard]] owned_message& boxed() noexcept { return boxed_; }

  [[nodiscard]] value_ref message() const noexcept {
    if (boxed_) return boxed_->message();
    return with_event(event_, [](value_ref what) { return what; });
  }
  [[nodiscard]] std::string_view topic() const noexcept { return {}; }

 private:
  E& event_;
  owned_message boxed_;
};

/// The same for a message with a topic.
template <class M>
class outgoing_message {
 public:
  outgoing_message(M& message, std::string& topic) : message_(message), topic_(topic) {
    check_holds(message);
  }

  void prepare(bool for_slot) {
    if ((!for_slot || !fits_slot<carried_message<M>, M, std::string> || current_cause()) &&
        !boxed_) {
      boxed_ =
          with_cause(std::make_unique<carried_message<M>>(std::move(message_), std::move(topic_)));
    }
  }
  void put(void* place) noexcept {
    if constexpr (fits_slot<carried_message<M>, M, std::string>) {
      if (!boxed_) {
        ::new (place) carried_message<M>(std::move(message_), std::move(topic_));
        return;
      }
    }
    ::new (place) carried_elsewhere<owned_message>(std::move(boxed_));
  }
  [[nodiscard]] owned_message& boxed() noexcept { return boxed_; }

  [[nodiscard]] value_ref message() const noexcept {
    if (boxed_) return boxed_->message();
    return with_event(message_, [](value_ref what) { return what; });
  }
  [[nodiscard]] std::string_view topic() const noexcept {
    return boxed_ ? boxed_->topic() : std::string_view(topic_);
  }

 private:
  M& message_;
  std::string& topic_;
  owned_message boxed_;
};

/// One that several mailboxes share: each takes a reference to it.
class outgoing_share {
 public:
  explicit outgoing_share(const shared_message& all) noexcept : all_(all) {}

  void prepare(bool for_slot);
  void put(void* place) noexcept;
  [[nodiscard]] owned_message& boxed() noexcept { return boxed_; }

  [[nodiscard]] value_ref message() const noexcept { return all_->message(); }
  [[nodiscard]] std::string_view topic() const noexcept { return all_->topic(); }

 private:
  const shared_message& all_;
  shared_message mine_;
  owned_message boxed_;
};

}  // namespace msgbus::exec
