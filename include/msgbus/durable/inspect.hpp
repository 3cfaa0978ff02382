#pragma once

/// Reads the library's tables of a file, from outside of the program that owns it.

#include <msgbus/durable/dead_letter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace msgbus::durable {

/// The messages of one type that wait for one destination.
struct waiting_messages {
  std::string destination;      ///< the name of their route
  std::string type;             ///< the name of their type
  std::uint64_t count = 0;      ///< all of them, with those that are being handled
  std::uint64_t scheduled = 0;  ///< of these, the messages that are not due yet
  std::uint64_t failed = 0;     ///< of these, the messages whose last attempt failed
  /// The commit of the oldest one. Empty if an older version of the library has committed it.
  std::optional<std::chrono::system_clock::time_point> oldest = {};
};
std::ostream& operator<<(std::ostream& out, const waiting_messages& value);

/// A message that waits.
struct waiting_message {
  std::int64_t seq = 0;      ///< its position among all messages of the file
  std::string message_id;    ///< the same on every delivery
  std::string destination;   ///< the name of its route
  std::string type;          ///< the name of its type
  std::string body;          ///< its bytes, as the codec wrote them
  std::size_t attempts = 0;  ///< failed attempts
  std::optional<std::chrono::system_clock::time_point> committed = {};  ///< as `oldest` above
  std::optional<std::chrono::system_clock::time_point> due =
      {};  ///< the earliest delivery, if scheduled
};
std::ostream& operator<<(std::ostream& out, const waiting_message& value);

/// The contents of a file in numbers.
struct file_status {
  std::int64_t version = 0;               ///< of the library's tables
  std::vector<waiting_messages> waiting;  ///< by destination and type
  std::uint64_t dead_letters = 0;
  std::uint64_t handled_ids = 0;  ///< ids that are kept for handlers with `once`
};
std::ostream& operator<<(std::ostream& out, const file_status& value);

/// Reads a file without owning it, also while a program has it open, and changes nothing. For one
/// thread. Every call blocks for the disk, and sees all earlier commits.
///
/// Throws: from the constructor, `database_failed` if the file does not exist or is no database;
/// `bad_arguments` if it has no tables of the library with this prefix; `unsupported` if a newer
/// version of the library has written it. From the calls, `database_failed`.
class inspector {
 public:
  explicit inspector(std::string file, std::string prefix = "msgbus_");
  inspector(const inspector&) = delete;
  inspector& operator=(const inspector&) = delete;
  ~inspector();

  /// The messages that wait for each destination, and the number of dead letters, at one moment.
  [[nodiscard]] file_status status();

  /// The waiting messages in the order of their positions, at most `most`.
  [[nodiscard]] std::vector<waiting_message> messages(std::size_t most = 1000);

  /// The oldest dead letters, at most `most`.
  [[nodiscard]] std::vector<dead_letter> dead_letters(std::size_t most = 1000);

 private:
  struct state;
  const std::unique_ptr<state> state_;
};

}  // namespace msgbus::durable
