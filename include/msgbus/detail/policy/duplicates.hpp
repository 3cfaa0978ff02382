#pragma once

/// Which messages a handler has had. Pure: the time is a parameter. For one thread at a time.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace msgbus::detail {

/// Keys of messages: in flight -> handled -> forgotten, when `window` has passed or when there are
/// more than `capacity` of them, the oldest first; in flight -> forgotten, of one that failed.
/// Those in flight are never forgotten for lack of room, and are bounded by those who bring them.
class duplicates {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  duplicates(duration window, std::size_t capacity) noexcept
      : window_(window), capacity_(capacity) {}

  enum class seen { never, in_flight, handled };

  /// What is known of the key; a new one is in flight from here on.
  [[nodiscard]] seen begin(std::string_view key, time_point now);
  void handled(std::string_view key, time_point now) noexcept;
  void forget(std::string_view key) noexcept;

  [[nodiscard]] bool is_in_flight(std::string_view key) const;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  using order = std::list<const std::string*>;
  struct entry {
    bool in_flight;
    time_point at;          // when it was handled
    order::iterator place;  // in one of the lists
  };

  void drop_old(time_point now) noexcept;

  const duration window_;
  const std::size_t capacity_;
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, entry, hash, std::equal_to<>> keys_;
  order in_flight_;
  order handled_;  // the oldest first
};

}  // namespace msgbus::detail
