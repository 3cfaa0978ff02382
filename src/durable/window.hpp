#pragma once

// Which rows of a destination are in memory. Pure: no database, no thread. docs/design/0028 has the
// states.

#include <cstddef>
#include <cstdint>
#include <unordered_set>

namespace msgbus::durable::detail {

class window {
 public:
  explicit window(std::size_t size) noexcept : size_(size == 0 ? 1 : size) {}

  /// A committed row, in the order of commits. True: it is held from now on. False: a load will
  /// find it.
  [[nodiscard]] bool offer(std::int64_t seq);

  /// Whether a load is wanted: of at most `space` rows after `cursor`, as they are when it runs.
  /// The caller sees to it that `load_ended` or `load_failed` is called.
  [[nodiscard]] bool begin_load() noexcept;
  [[nodiscard]] std::int64_t cursor() const noexcept { return cursor_; }
  [[nodiscard]] std::size_t space() const noexcept { return size_ - held_.size(); }

  /// The load reads `cursor` and `space` now.
  void load_begins() noexcept;
  /// A row that a load has found, in order. True: it is held from now on. False: it was held
  /// before.
  [[nodiscard]] bool loaded(std::int64_t seq);
  /// The end of a load that has read all positions up to this one; `is_last`: the file has no row
  /// behind it.
  void load_ended(std::int64_t up_to, bool is_last) noexcept;
  void load_failed() noexcept { loading_ = false; }

  /// A row before the cursor that was not held. True: it is held from now on.
  [[nodiscard]] bool hold(std::int64_t seq) { return held_.insert(seq).second; }

  /// The row has left the file, or is scheduled there.
  void gone(std::int64_t seq) noexcept { held_.erase(seq); }

  /// Rows before the cursor were left out, and are wanted now.
  void restart() noexcept;

  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  const std::size_t size_;
  std::unordered_set<std::int64_t> held_;
  std::int64_t cursor_ = 0;
  bool complete_ = false;
  bool loading_ = false;
  bool restarted_ = false;  // since the load began, which goes on from where it was
};

}  // namespace msgbus::durable::detail
