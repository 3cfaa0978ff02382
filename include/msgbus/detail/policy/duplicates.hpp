#pragma once

/// The keys of the messages that a handler has handled. Pure: the time is a parameter. For one
/// thread at a time.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace msgbus::detail {

/// States of a key: in flight -> handled -> forgotten, when `window` has passed, or as the oldest
/// of more than `capacity` keys; or in flight -> forgotten, if the message failed. Keys in flight
/// are not limited by `capacity`: the number of running handlers bounds them.
class duplicates {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  duplicates(duration window, std::size_t capacity) noexcept
      : window_(window), capacity_(capacity) {}

  enum class seen { never, in_flight, handled };

  /// The state of the key. A new key is in flight from now on.
  [[nodiscard]] seen begin(std::string_view key, time_point now);
  void handled(std::string_view key, time_point now) noexcept;
  void forget(std::string_view key) noexcept;

  [[nodiscard]] bool is_in_flight(std::string_view key) const;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  using order = std::list<const std::string*>;
  struct entry {
    bool in_flight;
    time_point at;             // of the end of its handling
    order::iterator position;  // in one of the lists
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
