#pragma once

/// A type-erased message in a mailbox.

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/core/event.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/function_ref.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/observe/outcomes.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus::exec {

/// Receives the outcome of a message that a mailbox accepted, once: on any thread, and inside the
/// component. Must be fast.
class outcome_listener {
 public:
  /// `ran` is the number of handlers that ran; `result` is handled, failed, dropped or abandoned.
  virtual void settled(outcome result, std::size_t ran, const failures& failed) noexcept = 0;

 protected:
  ~outcome_listener() = default;
};

/// The description of a message in a mailbox.
struct message_head {
  value_ref message;            // of a variant, its active alternative (T3)
  std::string_view topic = {};  // empty for an event
  // The origin of the message or of its cause; null, or a null pointer, if there is none.
  const shared_origin* origin = nullptr;
  bool came_with_it = false;             // the origin is that of the message itself
  outcome_listener* listener = nullptr;  // receives the outcome; may be null

  /// The context for handlers.
  [[nodiscard]] context ctx() const noexcept {
    if (!origin || !*origin) [[likely]]
      return context(topic);
    return came_with_it ? context(topic, **origin) : context::caused_by(origin->get(), topic);
  }
};

/// Owns a message, or a share of one. A variant holds a value: the makers of a `queued_message`
/// have checked that (`check_holds`).
class queued_message {
 public:
  queued_message() = default;
  virtual ~queued_message() = default;
  queued_message(const queued_message&) = delete;
  queued_message& operator=(const queued_message&) = delete;

  [[nodiscard]] virtual message_head head() const noexcept = 0;

  [[nodiscard]] value_ref message() const noexcept { return head().message; }
  [[nodiscard]] std::string_view topic() const noexcept { return head().topic; }
  [[nodiscard]] const shared_origin* origin() const noexcept { return head().origin; }

  /// Moves the message into shared ownership. This object may then only be destroyed.
  [[nodiscard]] virtual std::shared_ptr<queued_message> share() = 0;

  /// The time of sending (`sent_time`); 0: not measured.
  [[nodiscard]] virtual std::uint64_t sent() const noexcept { return 0; }
};

class movable_queued_message;

/// Makes a shared message, in one block of memory. `make` constructs it in the given storage. All
/// types of one size share this code.
[[nodiscard]] std::shared_ptr<queued_message> made_shared(
    std::size_t bytes, std::size_t alignment, function_ref<movable_queued_message*(void*)> make);

template <class Queued, class Make>
[[nodiscard]] std::shared_ptr<queued_message> made_shared(Make make) {
  return made_shared(sizeof(Queued), alignof(Queued), make);
}

/// A message by value. Each type adds only its move, its access and its destructor.
class movable_queued_message : public queued_message {
 public:
  /// Moves the message into another `queued_message` in this storage. This object may then only be
  /// destroyed.
  virtual movable_queued_message* move_to(void* storage) = 0;

 protected:
  /// Moves it into shared ownership.
  template <class Queued>
  [[nodiscard]] std::shared_ptr<queued_message> share_as() {
    return made_shared<Queued>([this](void* storage) { return move_to(storage); });
  }
};

template <class E>
class queued_event final : public movable_queued_message {
 public:
  explicit queued_event(E&& event) noexcept(std::is_nothrow_move_constructible_v<E>)
      : event_(std::move(event)) {}
  [[nodiscard]] message_head head() const noexcept override {
    return {with_event(event_, [](value_ref value) { return value; })};
  }
  movable_queued_message* move_to(void* storage) override {
    return ::new (storage) queued_event(std::move(event_));
  }
  [[nodiscard]] std::shared_ptr<queued_message> share() override {
    return share_as<queued_event>();
  }

 private:
  E event_;
};

template <class M>
class queued_topic_message final : public movable_queued_message {
 public:
  queued_topic_message(M&& message,
                       std::string&& topic) noexcept(std::is_nothrow_move_constructible_v<M>)
      : message_(std::move(message)), topic_(std::move(topic)) {}
  [[nodiscard]] message_head head() const noexcept override {
    return {with_event(message_, [](value_ref value) { return value; }), topic_};
  }
  movable_queued_message* move_to(void* storage) override {
    return ::new (storage) queued_topic_message(std::move(message_), std::move(topic_));
  }
  [[nodiscard]] std::shared_ptr<queued_message> share() override {
    return share_as<queued_topic_message>();
  }

 private:
  M message_;
  std::string topic_;
};

using shared_message = std::shared_ptr<queued_message>;

/// A message that is too large for its storage, or is shared between mailboxes.
class queued_reference final : public queued_message {
 public:
  explicit queued_reference(shared_message&& there) noexcept : there_(std::move(there)) {}
  [[nodiscard]] message_head head() const noexcept override { return there_->head(); }
  [[nodiscard]] shared_message share() override { return there_; }
  [[nodiscard]] std::uint64_t sent() const noexcept override { return there_->sent(); }

 private:
  shared_message there_;
};

/// A message with the time when it was sent, in a queue of references.
class queued_timed_message final : public queued_message {
 public:
  queued_timed_message(shared_message there, std::uint64_t sent) noexcept
      : there_(std::move(there)), sent_(sent) {}
  [[nodiscard]] message_head head() const noexcept override { return there_->head(); }
  [[nodiscard]] shared_message share() override { return there_; }
  [[nodiscard]] std::uint64_t sent() const noexcept override { return sent_; }

 private:
  const shared_message there_;
  const std::uint64_t sent_;
};

/// A message that was sent while another one, from another process, was handled.
class queued_caused_message final : public queued_message {
 public:
  queued_caused_message(shared_message there, const shared_origin& cause) noexcept;
  ~queued_caused_message() override;
  [[nodiscard]] message_head head() const noexcept override {
    return {there_->message(), there_->topic(), &cause_};
  }
  [[nodiscard]] std::shared_ptr<queued_message> share() override;

 private:
  const shared_message there_;
  const shared_origin cause_;
};

/// The message with this as its cause.
[[nodiscard]] shared_message caused_by(shared_message made, const shared_origin& cause);

/// The message with the currently handled message as its cause, if there is one.
[[nodiscard]] inline shared_message shared_with_cause(shared_message made) {
  const shared_origin* const cause = current_cause();
  if (!cause) [[likely]]
    return made;
  return caused_by(std::move(made), *cause);
}

}  // namespace msgbus::exec
