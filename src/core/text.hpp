#pragma once

/// Texts for people and for other processes: in UTF-8, in one line, of limited length. Also one
/// line on stderr, for errors that cannot be reported otherwise.

#include <cstddef>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>

namespace msgbus::detail {

/// The position of the first byte that is not UTF-8 (RFC 3629); `npos` if there is none.
[[nodiscard]] std::size_t find_not_utf8(std::string_view text) noexcept;

/// U+FFFD in place of each byte that is not part of a character.
[[nodiscard]] std::string to_utf8(std::string_view text);

/// The beginning of the text, at most `most_bytes` long. It ends between two characters.
[[nodiscard]] std::string_view first_characters(std::string_view text,
                                                std::size_t most_bytes) noexcept;

/// `to_utf8` of `first_characters`, with `...` at the end if text was cut.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most_bytes);

/// UTF-8 of at most `most_bytes`, with spaces in place of control characters, and no spaces at the
/// ends.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t most_bytes);

/// The text in one line. Control characters and line separators become `\r`, `\n`, `\t`, `\x1b` or
/// `\u2028`, and bytes that are not UTF-8 become `\xff`. All other characters are unchanged.
[[nodiscard]] std::string escaped(std::string_view text);

/// The text as a JSON string, in quotes. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

/// The text as the value of a key in a log: unchanged if it is a plain word, otherwise in quotes.
[[nodiscard]] std::string logfmt_value(std::string_view text);

/// Writes one line with one call: `msgbus: `, the parts, and the failure's text, all escaped. Never
/// throws: without memory, the line reports that instead.
void say(std::initializer_list<std::string_view> parts,
         const std::exception_ptr& failure = nullptr) noexcept;

/// For a `catch` block: writes one line about the exception of a user's callback. `where` names the
/// callback.
void say_thrown_by(std::string_view where) noexcept;

}  // namespace msgbus::detail
