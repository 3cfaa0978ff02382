#include "line_buffer.hpp"

#include <algorithm>

namespace exchange {

std::span<char> line_buffer::space() {
  if (begin_ > 0) {
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
              bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (bytes_.size() < end_ + one_read) {
    // Doubling, but never more than a line that is too long by one read.
    bytes_.resize(std::max(end_ + one_read, std::min(2 * end_, longest_line_ + one_read)));
  }
  return std::span<char>(bytes_).subspan(end_);
}

std::optional<std::string_view> line_buffer::next_line() noexcept {
  const std::string_view bytes(bytes_.data(), end_);
  const std::size_t found = bytes.find('\n', searched_);
  if (found == std::string_view::npos) {
    searched_ = end_;
    return std::nullopt;
  }
  std::string_view line = bytes.substr(begin_, found - begin_);
  if (line.size() > longest_line_) return std::nullopt;  // and so it is too long
  begin_ = searched_ = found + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view line_buffer::rest() const noexcept {
  return std::string_view(bytes_).substr(begin_, end_ - begin_);
}

}  // namespace exchange
