#include "policy/policy_text.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace msgbus::detail {

std::string duration_text(std::chrono::nanoseconds value) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 6> units{{{3'600'000'000'000, " h"},
                                                                       {60'000'000'000, " min"},
                                                                       {1'000'000'000, " s"},
                                                                       {1'000'000, " ms"},
                                                                       {1'000, " us"},
                                                                       {1, " ns"}}};
  const std::int64_t count = value.count();
  if (count == 0) return "0 s";
  for (const auto& [size, name] : units) {
    if (count % size == 0) return std::to_string(count / size) + name;
  }
  return {};
}

void policy_text::add(std::string_view member) {
  if (!text_.empty()) text_ += ", ";
  text_ += member;
}

void policy_text::add_breaker(const circuit_breaker* breaker) {
  if (!breaker) return;
  add(breaker->name().empty() ? std::string("a circuit breaker")
                              : "circuit breaker \"" + breaker->name() + '"');
}

void policy_text::add_attempts(std::size_t attempts) {
  if (attempts > 1) add(std::to_string(attempts) + " attempts");
}

void policy_text::add_limit(const rate_limit& limit) {
  if (limit.limiter) {
    add("a shared rate limit");
  } else if (limit.permits != 0) {
    add(std::to_string(limit.permits) + " in " + duration_text(limit.per));
  }
}

void policy_text::add_window(const deduplicate& filter) {
  if (!filter.is_plain()) add("deduplicated for " + duration_text(filter.window));
}

}  // namespace msgbus::detail
