#pragma once

/// The options of a durable database.

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/retry.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace msgbus::durable {

/// How far a commit is on its way to the disk when it completes.
enum class synchronous {
  full,    ///< on the disk: it survives the loss of power
  normal,  ///< with the operating system: the loss of power may take the last commits, as a whole
  off      ///< the same, and the loss of power may leave a corrupt file
};
std::ostream& operator<<(std::ostream& out, synchronous value);

/// The options of `open`.
struct open_options {
  std::string file;  ///< is made if it is not there; its folder must be
  durable::synchronous synchronous = durable::synchronous::full;
  std::string prefix = "msgbus_";    ///< of the library's tables
  std::size_t max_batch = 256;       ///< transactions that are committed together
  std::size_t max_in_flight = 1024;  ///< messages of one destination in memory
  /// How long another process may keep the file locked before a commit fails.
  detail::duration_option busy_timeout = std::chrono::seconds(5);
  /// How long a transaction with a query may take, as others wait for it. It is then rolled back.
  detail::duration_option transaction_timeout = std::chrono::seconds(10);
  /// How often a message is delivered until it has become a dead letter, and the pauses between.
  /// `if_` is not used.
  msgbus::retry retry = {.attempts = 5};
  /// How long the ids of handled messages are kept, for handlers with `once`; those of messages
  /// that still wait, or are dead letters, as long as these are there. Not shorter than all pauses
  /// of `retry` together. Messages of a stream should not come again after this time.
  detail::duration_option keep_handled = std::chrono::hours(7 * 24);
  /// Told of failures that have no caller, on any thread. Empty: one line on stderr for each.
  std::function<void(std::string_view where, const std::exception_ptr&)> on_failure = {};
  std::string vfs = {};  ///< a registered VFS of SQLite; empty: the default one
};

}  // namespace msgbus::durable
