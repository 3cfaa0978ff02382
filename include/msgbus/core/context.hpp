#pragma once

/// What is known of the message in hand. A handler that wants it takes a `const context&`.

#include <map>
#include <string>
#include <string_view>

namespace msgbus {

/// Key-value metadata of a message; never needed to understand its payload.
using headers = std::map<std::string, std::string, std::less<>>;

/// It refers to what its delivery holds: copy what must live longer than the handler.
class context {
 public:
  context() = default;
  explicit context(std::string_view topic) noexcept : topic_(topic) {}
  context(std::string_view topic, std::string_view message_id, unsigned attempt,
          const msgbus::headers* headers) noexcept
      : topic_(topic), message_id_(message_id), headers_(headers), attempt_(attempt) {}

  /// The topic that the message was sent to; empty for events and operations.
  [[nodiscard]] std::string_view topic() const noexcept { return topic_; }

  /// Unique per message and the same on every redelivery; empty for one that never left the
  /// process.
  [[nodiscard]] std::string_view message_id() const noexcept { return message_id_; }

  /// 1 for the first time that this handler gets this message, 2 for its first repetition.
  [[nodiscard]] unsigned attempt() const noexcept { return attempt_; }

  /// Empty for a message that never left the process.
  [[nodiscard]] const msgbus::headers& headers() const noexcept;

 private:
  std::string_view topic_;
  std::string_view message_id_;
  const msgbus::headers* headers_ = nullptr;
  unsigned attempt_ = 1;
};

/// Of a message of which nothing is known.
inline constexpr context no_context;

}  // namespace msgbus
