#pragma once

// Values that count: their copies and moves, for tests of D9; and those that exist.

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

/// Is one of `alive` for as long as it exists.
class counted_alive {
 public:
  explicit counted_alive(int& alive) : alive_(&alive) { ++*alive_; }
  counted_alive(const counted_alive& other) : alive_(other.alive_) { ++*alive_; }
  counted_alive& operator=(const counted_alive&) = delete;
  ~counted_alive() { --*alive_; }

 private:
  int* alive_;
};

}  // namespace msgbus_test
