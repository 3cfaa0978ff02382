#pragma once

/// Topics by the thousand, taken in turn, and the hash map that finds a handler by topic.

#include "harness.hpp"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace bench {

/// Four digits or more.
inline std::string number(std::size_t i) {
  std::string digits = std::to_string(i);
  return digits.size() < 4 ? std::string(4 - digits.size(), '0') + digits : digits;
}

/// The topics orders.0000.placed and so on, and which of them is next.
struct topic_state {
  /// `stride` has no factor in common with `topics`; more than 1 leaves nothing to prefetch.
  explicit topic_state(std::size_t topics, std::size_t stride = 1) : step(stride) {
    for (std::size_t i = 0; i < topics; ++i) names.push_back("orders." + number(i) + ".placed");
  }
  topic_state(const topic_state&) = delete;

  std::size_t next_index() noexcept {
    const std::size_t now = at;
    at += step;
    if (at >= names.size()) at -= names.size();
    return now;
  }
  const std::string& next() noexcept { return names[next_index()]; }

  std::vector<std::string> names;
  std::size_t at = 0;
  const std::size_t step;
};

/// The baseline: one handler for each topic.
struct topic_map : topic_state {
  static constexpr const char* name = "unordered_map to std::function";
  static constexpr role what = role::baseline;

  explicit topic_map(std::size_t topics, std::size_t stride = 1) : topic_state(topics, stride) {
    for (const std::string& each : names) {
      map.emplace(each, [](const order_created&) { ++counter; });
    }
  }
  void send(const order_created& event) {
    const auto found = map.find(next());
    if (found != map.end()) found->second(event);
  }

  std::unordered_map<std::string, std::function<void(const order_created&)>> map;
};

/// A `State` with so many topics that finds the next one's handler.
template <class State>
contender finding(std::size_t topics, std::size_t stride = 1) {
  auto make = [topics, stride] {
    return sending(std::make_shared<State>(topics, stride),
                   [](State& to, std::uint64_t i) { to.send(order_created{i, 9.99}); });
  };
  return {State::name, State::what, make};
}

}  // namespace bench
