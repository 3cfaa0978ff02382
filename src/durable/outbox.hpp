#pragma once

// The library's rows: messages, dead letters, ids of handled messages. For the writer thread.

#include <msgbus/durable/dead_letter.hpp>
#include <msgbus/durable/options.hpp>
#include <msgbus/headers.hpp>

#include "durable/connection.hpp"
#include "durable/id_sweep.hpp"

#include <SQLiteCpp/Column.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace msgbus::durable::detail {

using wall_clock = std::chrono::system_clock;

/// Times in the file: milliseconds since 1970.
[[nodiscard]] std::int64_t to_file(wall_clock::time_point time) noexcept;
[[nodiscard]] wall_clock::time_point from_file(std::int64_t time) noexcept;

/// The bytes of a blob; none for null.
[[nodiscard]] std::string bytes_of(const SQLite::Column& from);

// Headers in a column: a line `name: value` each. No header that can be sent has a line break.

[[nodiscard]] std::string line_of(std::string_view name, std::string_view value);
/// As lines, without the id and the type, which have columns of their own.
[[nodiscard]] std::string lines_of(const headers& all);
/// Lines that are none are left out.
[[nodiscard]] headers headers_of(std::string_view lines);

/// A message for one destination.
struct message_row {
  std::int64_t seq = 0;  // its position in the order of commits
  std::string id = {};
  std::string destination = {};
  std::string type = {};
  std::string headers = {};  // as lines, without id and type
  std::string body = {};
  std::optional<std::int64_t> due = {};  // not before; in the time of the file
  std::int64_t attempts = 0;             // that have failed
  bool is_taken_over = false;            // another process may have delivered it
  bool keeps_place = false;              // it comes back to its place after a pause

  /// Whether an insert can bind the texts of one for the other too.
  [[nodiscard]] bool is_like(const message_row& other) const noexcept {
    return destination == other.destination && type == other.type && headers == other.headers;
  }
};

/// Messages that a load has found, in order.
struct loaded_rows {
  std::vector<message_row> rows = {};
  std::int64_t up_to = 0;  // it has read all positions up to this one
  bool is_last = false;    // there is none behind it
};

class outbox {
 public:
  /// Becomes the owner of the file. Throws as `durable::open`.
  explicit outbox(const open_options& options);
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;

  [[nodiscard]] connection& file() noexcept { return file_; }

  // Transactions. `begin` throws `database_failed` if another process has become the owner.
  void begin();
  void commit();
  void roll_back() noexcept;

  // Many rows are inserted, or removed, by one statement.

  /// Adds a message, and gives it its place. It is written by `write_some` or `commit`; until then
  /// it must stay where it is.
  void insert(message_row& added);
  /// Removes a message, by `commit`.
  void erase(std::int64_t seq) { to_erase_.push_back(seq); }
  /// Writes messages, as long as there are enough for one statement.
  void write_some();
  /// How many messages wait to be written; and forgets those behind the first `keep`.
  [[nodiscard]] std::size_t to_write() const noexcept { return to_write_.size(); }
  void forget_behind(std::size_t keep) noexcept { to_write_.resize(keep); }

  /// After a failure: it is due again later. With a key it keeps its place, in this process; for
  /// the next one it is there at once.
  void reschedule(std::int64_t seq, std::int64_t attempts, std::int64_t due,
                  const std::optional<std::string>& key);
  /// Moves a message to the dead letters.
  void move_to_dead_letters(std::int64_t seq, const std::string& reason, std::int64_t attempts,
                            std::int64_t now);

  /// The messages of a destination after `seq`, of these types, without those that are scheduled.
  /// It reads so many positions at most, as those of other destinations are among them.
  [[nodiscard]] loaded_rows load(const std::string& destination,
                                 const std::vector<std::string>& types, std::int64_t after,
                                 std::size_t most, std::int64_t positions = 16'384);

  /// The messages at these positions, in their order.
  [[nodiscard]] std::vector<message_row> load(const std::vector<std::int64_t>& positions);

  /// Gives messages that are due a place behind all others, in the order of their times. Those that
  /// have a key keep theirs.
  [[nodiscard]] std::vector<message_row> release_due(std::int64_t now, std::size_t most);
  /// When the next one is due, or earlier.
  [[nodiscard]] std::optional<std::int64_t> next_due() const noexcept;

  /// Makes a dead letter a message again. Empty: there is none.
  [[nodiscard]] std::optional<message_row> replay(std::int64_t dead_letter);
  [[nodiscard]] bool discard(std::int64_t dead_letter);

  /// Forgets ids whose time has passed, a step at a time (`id_sweep`). False: that was the last.
  [[nodiscard]] bool clean_up(std::int64_t now, std::size_t many_ids, std::size_t many_messages) {
    return old_ids_.step(file_, now, many_ids, many_messages);
  }

  /// At the end: moves the log into the file.
  void checkpoint();

 private:
  /// The rows of the largest statement.
  static constexpr std::size_t rows_together = 16;

  SQLite::Statement& sql(const char* text);
  /// The statement for so many rows; `alike`: all have the destination, type and headers of the
  /// first one, and none is scheduled.
  SQLite::Statement& insert_of(std::size_t rows, bool alike);
  void write(std::span<const message_row* const> rows);
  void write_all();
  void erase_all();
  [[nodiscard]] static message_row read_row(const SQLite::Statement& from);
  void reread_next_due();

  const std::string prefix_;
  connection owner_;  // of the other file, which holds the lock
  connection file_;
  const std::int64_t epoch_;
  std::unordered_map<const char*, SQLite::Statement*> by_text_;
  std::int64_t last_seq_ = 0;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  std::int64_t next_due_ = never;
  bool due_has_changed_ = false;                                  // in this transaction
  using inserts = std::array<SQLite::Statement*, rows_together>;  // by the number of rows, from 1
  inserts inserts_{};
  inserts alike_inserts_{};
  id_sweep old_ids_{prefix_};
  std::vector<const message_row*> to_write_;
  std::vector<std::int64_t> to_erase_;
};

/// Reads dead letters, the oldest first.
[[nodiscard]] std::vector<dead_letter> read_dead_letters(connection& in, const std::string& prefix,
                                                         std::size_t most);

}  // namespace msgbus::durable::detail
