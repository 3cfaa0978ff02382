#pragma once

/// Lines out of bytes as they arrive. Holds no more than one line's limit and one read.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace exchange {

class line_buffer {
 public:
  explicit line_buffer(std::size_t longest_line) : longest_line_(longest_line) {}

  /// Where the next bytes may be put, and how many were.
  [[nodiscard]] std::span<char> space();
  void filled(std::size_t count) noexcept { end_ += count; }

  /// The next whole line, without its end. Valid until the next call of `space`.
  [[nodiscard]] std::optional<std::string_view> next_line() noexcept;

  /// What follows the last whole line.
  [[nodiscard]] std::string_view rest() const noexcept;

  /// Whether the line that has begun is longer than it may be.
  [[nodiscard]] bool too_long() const noexcept { return end_ - begin_ > longest_line_; }

 private:
  static constexpr std::size_t one_read = 4096;

  std::size_t longest_line_;
  std::string bytes_;
  std::size_t begin_ = 0;     // of the line in hand
  std::size_t searched_ = 0;  // up to here there is no line's end
  std::size_t end_ = 0;
};

}  // namespace exchange
