#pragma once

/// How much of a server its clients may hold, and for how long.

#include <chrono>

namespace exchange {

struct connection_limits {
  int connections = 1024;  ///< at the same time

  /// A connection is closed if for so long it has not sent a whole line, or has not taken what is
  /// written to it.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);

  /// A notice waits at most so long for others that are written together with it.
  std::chrono::milliseconds gather_notices = std::chrono::milliseconds(1);
};

}  // namespace exchange
