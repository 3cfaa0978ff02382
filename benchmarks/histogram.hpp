#pragma once

/// How long single messages took, by the million, in a memory that does not grow.

#include <cstdint>
#include <vector>

namespace bench {

/// Counts nanoseconds in classes that are less than 1 % wide. For one thread.
class histogram {
 public:
  /// Takes its memory at once, so that `add` takes none.
  histogram();

  void add(std::uint64_t ns) noexcept;
  void add(const histogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// The least is exact, and so is the greatest. Not a number if nothing was added.
  [[nodiscard]] double at(double quantile) const noexcept;

 private:
  std::vector<std::uint64_t> classes_;
  std::uint64_t size_ = 0;
  std::uint64_t least_ = UINT64_MAX;
  std::uint64_t greatest_ = 0;
};

}  // namespace bench
