#pragma once

/// Topics and patterns, in the grammar of NATS subjects: tokens joined by `.`. In a pattern, the
/// token `*` stands for one token, and a last token `>` for one or more. Inside a longer token,
/// both are ordinary characters.

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/error.hpp>

#include <string_view>

namespace msgbus {

namespace detail {

/// Removes the first token and the dot after it from `rest`, and returns the token.
constexpr std::string_view next_token(std::string_view& rest) noexcept {
  const auto dot = rest.find('.');
  const auto token = rest.substr(0, dot);
  rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
  return token;
}

/// The reason why a topic or pattern is invalid; null if it is valid.
[[nodiscard]] constexpr const char* topic_fault(std::string_view text, bool is_pattern) noexcept {
  if (text.empty()) return "it is empty";
  if (text.back() == '.') return "it has an empty token";
  for (std::string_view rest = text; !rest.empty();) {
    const auto token = next_token(rest);
    if (token.empty()) return "it has an empty token";
    if (token == "*" || token == ">") {
      if (!is_pattern) return "a topic has no wildcards";
      if (token == ">" && !rest.empty()) return "'>' is not its last token";
    }
    for (const char c : token) {
      if (c == ' ' || (c >= '\t' && c <= '\r') || c == '\0') return "it has white space";
    }
  }
  return nullptr;
}

/// The tokens of a topic.
struct topic_tokens {
  static constexpr std::size_t most = 24;

  // Only the first `count` elements of the array are read.
  topic_tokens() noexcept {}  // NOLINT(modernize-use-equals-default)

  std::size_t count = 0;
  struct {
    const char* text;
    std::size_t size;
  } at[most];
};

/// Splits a valid topic. False for an invalid one, and for one with more tokens than that.
[[nodiscard]] bool split_topic(std::string_view topic, topic_tokens& tokens) noexcept;

/// Throws `invalid_topic`, with the text and the reason (T7).
void check_topic(std::string_view topic);
void check_pattern(std::string_view pattern);

}  // namespace detail

/// A topic with the type of its messages. Publishing or subscribing with another type does not
/// compile, and neither does an invalid name.
///
///     inline constexpr msgbus::topic<order> order_placed{"orders.placed"};
template <class T>
class topic {
 public:
  /// The type of the messages.
  using message_type = T;

  /// The name has no wildcards, and must be a constant.
  consteval explicit topic(std::string_view name) : name_(name), hash_(detail::hash_of(name)) {
    if (detail::topic_fault(name, false) != nullptr) throw "a msgbus::topic<T> has an invalid name";
  }

  /// As above.
  consteval explicit topic(const char* name) : topic(std::string_view(name)) {}

  /// The name of the topic.
  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }

  /// For the library: the hash of the name.
  [[nodiscard]] constexpr std::size_t hash() const noexcept { return hash_; }

 private:
  std::string_view name_;
  std::size_t hash_;
};

}  // namespace msgbus
