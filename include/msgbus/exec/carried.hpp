#pragma once

/// A message on its way through a mailbox, its type erased.

#include <msgbus/core/event.hpp>
#include <msgbus/core/type_key.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus::exec {

/// Owns a message, or a share of one.
class carried {
 public:
  carried() = default;
  virtual ~carried() = default;
  carried(const carried&) = delete;
  carried& operator=(const carried&) = delete;

  /// The message; of a variant, its active alternative (T3).
  [[nodiscard]] virtual value_ref message() const noexcept = 0;
  /// Empty for an event.
  [[nodiscard]] virtual std::string_view topic() const noexcept { return {}; }

  /// Moves the message to where it can be shared. This one is then only good for destruction.
  [[nodiscard]] virtual std::shared_ptr<carried> share() = 0;
};

template <class E>
class carried_event final : public carried {
 public:
  explicit carried_event(E&& event) noexcept(std::is_nothrow_move_constructible_v<E>)
      : event_(std::move(event)) {}
  [[nodiscard]] value_ref message() const noexcept override {
    return with_event(event_, [](value_ref what) { return what; });
  }
  [[nodiscard]] std::shared_ptr<carried> share() override {
    return std::make_shared<carried_event>(std::move(event_));
  }

 private:
  E event_;
};

template <class M>
class carried_message final : public carried {
 public:
  carried_message(M&& message,
                  std::string&& topic) noexcept(std::is_nothrow_move_constructible_v<M>)
      : message_(std::move(message)), topic_(std::move(topic)) {}
  [[nodiscard]] value_ref message() const noexcept override {
    return with_event(message_, [](value_ref what) { return what; });
  }
  [[nodiscard]] std::string_view topic() const noexcept override { return topic_; }
  [[nodiscard]] std::shared_ptr<carried> share() override {
    return std::make_shared<carried_message>(std::move(message_), std::move(topic_));
  }

 private:
  M message_;
  std::string topic_;
};

/// What is too large for its place, or is shared between mailboxes.
template <class Pointer>
class carried_elsewhere final : public carried {
 public:
  explicit carried_elsewhere(Pointer&& there) noexcept : there_(std::move(there)) {}
  [[nodiscard]] value_ref message() const noexcept override { return there_->message(); }
  [[nodiscard]] std::string_view topic() const noexcept override { return there_->topic(); }
  [[nodiscard]] std::shared_ptr<carried> share() override {
    if constexpr (std::is_same_v<Pointer, std::shared_ptr<carried>>) {
      return there_;
    } else {
      return there_->share();
    }
  }

 private:
  Pointer there_;
};

using owned_message = std::unique_ptr<carried>;
using shared_message = std::shared_ptr<carried>;

}  // namespace msgbus::exec
