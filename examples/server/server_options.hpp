#pragma once

/// What one may say to a server on its command line.

#include <chrono>
#include <cstdint>
#include <string>

#include "connection_limits.hpp"

namespace exchange {

struct server_options {
  std::uint16_t port = 0;
  std::string audit;
  int threads = 1;
  int pool = 8;  // most of them wait, and cost nothing
  std::chrono::milliseconds deadline = std::chrono::seconds(5);
  connection_limits limits;
  std::string books;  ///< the file of the books
  std::string check;
  bool page = false;  ///< serve a page about the server
  int page_port = 0;
};

/// What only some servers have, and have options for.
struct server_extras {
  bool file = false;
  bool page = false;
};

/// As `command_line::read`.
[[nodiscard]] server_options read_server_options(const std::string& program, int argc, char** argv,
                                                 server_extras extras = {});

}  // namespace exchange
