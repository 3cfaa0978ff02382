#pragma once

/// A message that a handler has failed with after its last attempt, and the options and counters of
/// the store that keeps it.

#include <msgbus/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

namespace msgbus {

/// A message that a handler has failed with, after its last attempt.
struct dead_letter {
  std::uint64_t id = 0;      ///< its number in the store, in the order of addition
  std::string message;       ///< the name of its type
  std::string handler;       ///< the handler, as in errors
  std::string reason;        ///< the text of its last exception
  std::size_t attempts = 0;  ///< the runs of the handler; 0 if its policy allowed none
  std::chrono::system_clock::time_point at;
  std::string topic;       ///< empty for an event
  std::string message_id;  ///< empty for a message that never left the process
};
std::ostream& operator<<(std::ostream& out, const dead_letter& value);

/// The options of `dead_letters`.
struct dead_letter_options {
  std::size_t capacity = 10'000;  ///< at least 1
  /// The action of a full store: `drop_oldest` discards the oldest dead letter, `drop_newest` and
  /// `reject` discard the new one. Both count as dropped. `suspend` is not supported, because only
  /// a person makes space.
  overflow on_full = overflow::drop_oldest;
  /// Called for each dead letter that is kept, on the thread of its handler. An exception of the
  /// function is one line on stderr.
  std::function<void(const dead_letter&)> on_add = {};
};

/// The number of dead letters for each outcome. While the store is quiet, `added = replayed +
/// discarded + dropped + size()`.
struct dead_letter_counters {
  std::uint64_t added = 0;
  std::uint64_t replayed = 0;  ///< handled, or failed again: then another one was added
  std::uint64_t discarded = 0;
  std::uint64_t dropped = 0;
};
std::ostream& operator<<(std::ostream& out, const dead_letter_counters& value);

namespace async {
using msgbus::dead_letter;
using msgbus::dead_letter_counters;
using msgbus::dead_letter_options;
}  // namespace async

namespace sync {
using msgbus::dead_letter;
using msgbus::dead_letter_counters;
using msgbus::dead_letter_options;
}  // namespace sync

}  // namespace msgbus
