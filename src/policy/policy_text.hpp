#pragma once

/// Policies in words, for descriptions. Without Asio: both families use it.

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/deduplicate.hpp>
#include <msgbus/rate_limit.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace msgbus::detail {

/// `2 s`, `150 ms`: in the largest unit that needs no fraction.
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds value);

/// The members of a policy, separated by commas.
class policy_text {
 public:
  void add(std::string_view member);
  void add_breaker(const circuit_breaker* breaker);  // null: none
  void add_attempts(std::size_t attempts);
  void add_limit(const rate_limit& limit);
  void add_window(const deduplicate& filter);

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace msgbus::detail
