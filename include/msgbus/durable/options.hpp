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

/// The durability of a completed commit.
enum class synchronous {
  full,    ///< on the disk: it survives the loss of power
  normal,  ///< with the operating system: the loss of power may take the last commits, as a whole
  off      ///< the same, and the loss of power may leave a corrupt file
};
std::ostream& operator<<(std::ostream& out, synchronous value);

/// The options of `open`.
struct open_options {
  std::string file;  ///< created if it does not exist; its folder must exist
  durable::synchronous synchronous = durable::synchronous::full;
  std::string prefix = "msgbus_";    ///< of the library's tables
  std::size_t max_batch = 256;       ///< transactions that are committed together
  std::size_t max_in_flight = 1024;  ///< messages of one destination in memory
  /// A commit fails if another process keeps the file locked for longer.
  detail::duration_option busy_timeout = std::chrono::seconds(5);
  /// The time limit of a transaction with a query, because others wait for it; then it is rolled
  /// back.
  detail::duration_option transaction_timeout = std::chrono::seconds(10);
  /// The number of deliveries before a message becomes a dead letter, and the pauses between them.
  /// `if_` is not used.
  msgbus::retry retry = {.attempts = 5};
  /// The time for which the ids of handled messages are kept, for handlers with `once`. Ids of
  /// messages that wait or are dead letters are kept as long as those. Not shorter than all pauses
  /// of `retry` together. A stream should not redeliver messages after this time.
  detail::duration_option keep_handled = std::chrono::hours(7 * 24);
  /// Called for failures without a caller, on any thread. Empty: each is one line on stderr.
  std::function<void(std::string_view where, const std::exception_ptr&)> on_failure = {};
  std::string vfs = {};  ///< a registered VFS of SQLite; empty: the default one
};

}  // namespace msgbus::durable
