#pragma once

/// The headers of a message as the protocol writes them: lines in one block. Pure.

#include <msgbus/headers.hpp>

#include <array>
#include <string>
#include <string_view>

namespace msgbus::nats {

/// All headers as if they were one: a name that contains the lines before the last value, and the
/// last value. nats.c writes names as they are, so that it sends all of them, in their order; and
/// one is all that it has to allocate and to free. Of headers that can be sent
/// (`transport::check_envelope`), so that none contains the end of a line; at least one. The
/// headers must outlive it.
class joined_headers {
 public:
  explicit joined_headers(const headers& all);
  joined_headers(const joined_headers&) = delete;
  joined_headers& operator=(const joined_headers&) = delete;

  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] const char* value() const noexcept { return value_; }

 private:
  std::array<char, 512> inside_;  // NOLINT: set as far as it is used
  std::string outside_;           // where that is too small
  const char* name_ = nullptr;
  const char* value_ = nullptr;
};

/// Reads the headers of a block, in their order; values lose the blanks at their ends. False, and
/// there are none, if it is another block than one of names and values in one line each: it has a
/// status, continued lines, or faults.
[[nodiscard]] bool read_header_block(std::string_view block, headers& into);

}  // namespace msgbus::nats
