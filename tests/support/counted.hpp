#pragma once

// A value that counts its copies and moves, for tests of D9.

namespace msgbus_test {

/// Each `Tag` has its own counts.
template <class Tag>
struct counted {
  static inline int copies = 0;
  static inline int moves = 0;
  static void reset() { copies = moves = 0; }

  explicit counted(int given = 0) : value(given) {}
  counted(const counted& other) : value(other.value) { ++copies; }
  counted(counted&& other) noexcept : value(other.value) { ++moves; }
  counted& operator=(const counted& other) {
    value = other.value;
    ++copies;
    return *this;
  }
  counted& operator=(counted&& other) noexcept {
    value = other.value;
    ++moves;
    return *this;
  }
  ~counted() = default;

  int value;
};

}  // namespace msgbus_test
