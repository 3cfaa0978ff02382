#pragma once

/// Texts that people and other processes read: in UTF-8, in one line, and not too long.

#include <cstddef>
#include <string>
#include <string_view>

namespace msgbus::detail {

/// Where the first character begins that is not UTF-8 (RFC 3629); `npos` if all are.
[[nodiscard]] std::size_t find_not_utf8(std::string_view text) noexcept;

/// U+FFFD in place of each byte that is not part of a character.
[[nodiscard]] std::string to_utf8(std::string_view text);

/// The beginning of the text, of at most so many bytes; it ends between two characters.
[[nodiscard]] std::string_view first_characters(std::string_view text,
                                                std::size_t most_bytes) noexcept;

/// Both, with `...` behind what is cut.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most_bytes);

/// UTF-8 of at most so many bytes, with blanks for control characters and none at the ends.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t most_bytes);

/// The text in one line, whatever bytes it holds: control characters and line separators become
/// `\r`, `\n`, `\t`, `\x1b` or `\u2028`, and bytes that are not UTF-8 `\xff`. All else stays.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace msgbus::detail
