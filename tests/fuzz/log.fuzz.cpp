// Names and texts of any bytes in the lines of a log: a line is one line, and what was written can
// be read again (O3).

#include <msgbus/log_observer.hpp>

#include "core/text.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

void require(bool holds, const char* sentence, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s: '%.*s'\n", sentence, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

/// Where the text in quotes ends that begins here; `npos` if it does not end.
std::size_t end_of_quoted(std::string_view line) {
  for (std::size_t at = 1; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

bool is_one_line(std::string_view line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

/// `key=value key="value"`, and how many there are; 0 if that is not what the line is.
std::size_t members_of(std::string_view line) {
  std::size_t members = 0;
  for (;;) {
    const std::size_t equals = line.find('=');
    if (equals == 0 || equals == std::string_view::npos) return 0;
    line.remove_prefix(equals + 1);
    const std::size_t end = line.starts_with('"') ? end_of_quoted(line) : line.find(' ');
    ++members;
    if (end == std::string_view::npos) return line.starts_with('"') ? 0 : members;
    line.remove_prefix(end);
    if (line.empty()) return members;
    if (!line.starts_with(' ')) return 0;
    line.remove_prefix(1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view first = all.substr(0, size / 3);
  const std::string_view second = all.substr(size / 3, size / 3);
  const std::string_view third = all.substr(2 * (size / 3));
  for (const auto format : {msgbus::log_format::key_value, msgbus::log_format::json}) {
    msgbus::log_observer log(
        [&](msgbus::log_level, std::string_view line) {
          require(is_one_line(line), "an event is one line", line);
          if (format == msgbus::log_format::json) {
            require(line.starts_with('{') && line.ends_with('}'), "a line is an object", line);
          } else {
            const std::size_t expected = 1 + !first.empty() + !second.empty() + !third.empty() + 1;
            require(members_of(line) == expected, "a line has its members and no others", line);
          }
        },
        {.format = format});
    const auto error = std::make_exception_ptr(std::runtime_error("text: " + std::string(third)));
    log.failed({first, second, third}, error);
  }
  const std::string json = msgbus::detail::json_string(all);
  require(end_of_quoted(json) == json.size(), "a JSON string ends at its end", json);
  return 0;
}
