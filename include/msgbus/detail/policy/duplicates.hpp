#pragma once

/// The keys of the messages that a handler has handled. Pure: the time is a parameter. For one
/// thread at a time.

#include <msgbus/detail/core/node_table.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace msgbus::detail {

/// States of a key: in flight -> handled -> forgotten, when `window` has passed, or as the oldest
/// of more than `capacity` keys; or in flight -> forgotten, if the message failed. Keys in flight
/// are not limited by `capacity`: the number of running handlers bounds them.
///
/// The memory of a forgotten key serves the next new one, so a filter that is full allocates
/// nothing.
class duplicates {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  duplicates(duration window, std::size_t capacity) noexcept
      : window_(window), capacity_(capacity) {}
  duplicates(const duplicates&) = delete;
  duplicates& operator=(const duplicates&) = delete;
  ~duplicates();

  enum class seen { never, in_flight, handled };

  /// A key that is known.
  class entry : public table_node<entry> {
   private:
    friend class duplicates;
    std::string key_;
    bool in_flight_ = true;
    time_point at_{};  // of the end of its handling
    // In the list of handled keys; the latter also among spare entries.
    entry* before_ = nullptr;
    entry* behind_ = nullptr;
  };
  /// `begun` is null unless the key was seen never. Otherwise it is in flight, until its one call
  /// of `handled` or `forget`.
  struct answer {
    seen was;
    entry* begun;
  };

  /// The state of the key. A new key is in flight from now on. Throws `std::bad_alloc`, and has
  /// then added nothing.
  [[nodiscard]] answer begin(std::string_view key, time_point now);
  void handled(entry& begun, time_point now) noexcept;
  void forget(entry& begun) noexcept;

  [[nodiscard]] bool is_in_flight(std::string_view key) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  [[nodiscard]] duration window() const noexcept { return window_; }

 private:
  static constexpr std::size_t most_spare = 64;

  [[nodiscard]] entry* find(std::string_view key, std::size_t hash) const noexcept;
  [[nodiscard]] bool is_over(const entry& of, time_point now) const noexcept;
  void add_handled(entry& added) noexcept;
  void remove_handled(entry& removed) noexcept;
  void drop_old(time_point now) noexcept;
  void keep_memory(entry& of) noexcept;

  const duration window_;
  const std::size_t capacity_;
  node_table<entry> keys_;   // in flight and handled
  entry* oldest_ = nullptr;  // of the handled ones
  entry* newest_ = nullptr;
  std::size_t handled_ = 0;
  entry* spare_ = nullptr;  // in no table
  std::size_t spares_ = 0;
};

}  // namespace msgbus::detail
