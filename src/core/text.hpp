#pragma once

/// Texts that people and other processes read: in UTF-8, in one line, and not too long. The last
/// resort for errors: one line on stderr.

#include <cstddef>
#include <exception>
#include <initializer_list>
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

/// Writes `msgbus: `, the parts and the failure's text, whatever bytes they hold, as one line, with
/// one call. Never throws: without memory the line says that instead.
void say(std::initializer_list<std::string_view> parts,
         const std::exception_ptr& failure = nullptr) noexcept;

/// Inside a `catch` block: one line for what a callback of the user's has thrown. `where` names the
/// callback.
void say_thrown_by(std::string_view where) noexcept;

}  // namespace msgbus::detail
