#pragma once

/// Limits the lines of one kind. Pure; not thread-safe.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace msgbus::detail {

/// At most `lines` in each span of `per`; 0 is no limit. A span begins with the first line after
/// the last one.
class line_limiter {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  /// Whether a line may be written now; if so, the number of lines that were left out since the
  /// last one.
  [[nodiscard]] std::optional<std::uint64_t> admit(time_point now, std::size_t lines,
                                                   duration per) noexcept {
    if (!begin_ || now - *begin_ >= per) {
      begin_ = now;
      written_ = 0;
    }
    if (lines != 0 && written_ >= lines) {
      ++left_out_;
      return std::nullopt;
    }
    ++written_;
    return take_left_out();
  }

  /// The number of lines that were left out since the last line; zero when it is called again.
  [[nodiscard]] std::uint64_t take_left_out() noexcept { return std::exchange(left_out_, 0); }

 private:
  std::optional<time_point> begin_ = {};
  std::size_t written_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace msgbus::detail
