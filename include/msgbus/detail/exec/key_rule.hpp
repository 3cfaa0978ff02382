#pragma once

/// The functions that make the key of a message, one for each type of message.

#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/exec/key_order.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace msgbus::exec {

/// The stored type of a key: a string for text, the largest integer of its kind for an integer.
template <class K>
struct kept_key {
  using type = K;
};
template <text_like K>
struct kept_key<K> {
  using type = std::string;
};
template <integer_like K>
struct kept_key<K> {
  using type = std::conditional_t<std::is_signed_v<K>, std::int64_t, std::uint64_t>;
};

template <class K>
concept usable_key = requires(const K& key) {
  { std::hash<K>()(key) } -> std::convertible_to<std::size_t>;
  { key == key } -> std::convertible_to<bool>;
};

template <class K>
class message_with_key final : public keyed_message {
 public:
  explicit message_with_key(K key)
      : keyed_message(key_of<K>, std::hash<K>()(key)), key_(std::move(key)) {}

 private:
  [[nodiscard]] bool equals(const keyed_message& other) const override {
    return key_ == static_cast<const message_with_key&>(other).key_;
  }

  const K key_;
};

/// The rule for messages of one type. Its functions call the user's; for any thread.
class key_rule {
 public:
  explicit key_rule(type_key of) noexcept : of_(of) {}
  virtual ~key_rule();
  key_rule(const key_rule&) = delete;
  key_rule& operator=(const key_rule&) = delete;

  [[nodiscard]] bool is_for(type_key type) const noexcept { return is_same_type(of_, type); }

  [[nodiscard]] virtual keyed_ptr key(const void* message, std::string_view topic) const = 0;
  [[nodiscard]] virtual std::size_t hash(const void* message, std::string_view topic) const = 0;

 private:
  const type_key of_;
};

template <class M, class F>
[[nodiscard]] decltype(auto) call_key_function(const F& f, const M& message,
                                               std::string_view topic) {
  if constexpr (std::is_invocable_v<const F&, const M&, std::string_view>) {
    return std::invoke(f, message, topic);
  } else {
    static_assert(
        std::is_invocable_v<const F&, const M&>,
        "msgbus: a key function takes `const M&`, or `const M&` and the topic, and can be "
        "called as const; M is the message's type");
    return std::invoke(f, message);
  }
}

template <class M, class F>
class key_rule_by final : public key_rule {
 public:
  explicit key_rule_by(F f) : key_rule(msgbus::detail::key_of<M>), f_(std::move(f)) {}

  [[nodiscard]] keyed_ptr key(const void* message, std::string_view topic) const override {
    return std::make_unique<message_with_key<key_type>>(made(message, topic));
  }
  [[nodiscard]] std::size_t hash(const void* message, std::string_view topic) const override {
    return std::hash<key_type>()(made(message, topic));
  }

 private:
  using result_type = std::remove_cvref_t<decltype(call_key_function(
      std::declval<const F&>(), std::declval<const M&>(), std::string_view()))>;
  using key_type = typename kept_key<result_type>::type;
  static_assert(usable_key<key_type>,
                "msgbus: a key function returns a key: a number, a string, or a type with "
                "std::hash and ==");

  [[nodiscard]] key_type made(const void* message, std::string_view topic) const {
    return static_cast<key_type>(call_key_function(f_, *static_cast<const M*>(message), topic));
  }

  const F f_;
};

/// The key of a message of a type without a rule: its type.
[[nodiscard]] keyed_ptr key_of_type(type_key type);
[[nodiscard]] std::size_t hash_of_type(type_key type) noexcept;

/// The key of a message whose key function has thrown the current exception: that of its type.
[[nodiscard]] keyed_ptr key_of_failure(type_key type);

}  // namespace msgbus::exec
