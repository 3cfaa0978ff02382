#pragma once

/// Where a monitor is. Pure.

#include <string>
#include <string_view>

namespace msgbus::top {

struct address {
  std::string host = {};
  int port = 0;
  std::string path = {};  // with a slash at its end

  /// As a browser takes it.
  [[nodiscard]] std::string url() const;
};

/// Reads `http://host:port/path/`, `host:port`, `:port` or `port`; without a host it is this
/// machine.
///
/// Throws: `std::invalid_argument` with a sentence for the user.
[[nodiscard]] address read_address(std::string_view text);

}  // namespace msgbus::top
