#pragma once

/// The recorded traffic: customers' sessions, each a list of steps.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace load {

/// Numbers that answers gave, by the recording's names for them.
using names = std::map<std::string, std::int64_t, std::less<>>;

struct step {
  std::string command;  ///< empty if what is sent is no command
  std::string text;     ///< what is sent; `@` stands for the id, `"$name"` for a number
  std::string as;       ///< the name of the number in the answer, if it is to be kept
  std::string expect;   ///< "ok", or the code of an error
  std::int64_t amount = 0;

  [[nodiscard]] bool has_id() const { return text.find('@') != std::string::npos; }
  /// With the id and the numbers in their places, and a line's end.
  [[nodiscard]] std::string line(std::int64_t id, const names& known) const;
};

using recording = std::vector<std::vector<step>>;

/// Throws if the file cannot be read.
[[nodiscard]] recording read_recording(const std::string& file);

}  // namespace load
