#pragma once

/// A message that could not be delivered.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace msgbus::durable {

/// A dead letter: a message that failed in the last attempt of its destination, or that cannot be
/// decoded.
struct dead_letter {
  std::int64_t id = 0;      ///< among the dead letters of the file
  std::string message_id;   ///< the same as before
  std::string destination;  ///< the name of its route
  std::string type;         ///< the name of its type
  std::string body;         ///< its bytes, as the codec wrote them
  std::string reason;       ///< the last failure
  std::size_t attempts = 0;
  std::chrono::system_clock::time_point failed_at;
};
std::ostream& operator<<(std::ostream& out, const dead_letter& value);

}  // namespace msgbus::durable
