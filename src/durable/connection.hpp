#pragma once

// A connection to an SQLite file. For one thread.

#include <msgbus/durable/options.hpp>
#include <msgbus/durable/value.hpp>
#include <msgbus/error.hpp>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace msgbus::durable::detail {

// Named places at which a test ends the process. Without a test they cost a load.

/// Called with the name of each step; null: nobody is.
inline std::atomic<void (*)(const char* name)> on_step{nullptr};

inline void step(const char* name) {
  if (void (*const tell)(const char*) = on_step.load(std::memory_order_acquire)) [[unlikely]]
    tell(name);
}

/// A statement with its arguments.
struct statement {
  std::string sql;
  std::vector<value> values;
};

class connection {
 public:
  enum class access {
    write,
    read,
    lock  // of an empty file, against all other connections, as long as this lives
  };

  /// Throws `database_failed`, or `bad_arguments` for a file that does not last.
  connection(const open_options& options, access mode);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  // Everything below throws `database_failed` with the name of the file.

  /// Statements of the library, without arguments and results.
  void execute(const char* sql);

  /// A statement of the library, which is compiled once. Its arguments are those of the last call
  /// until they are bound again.
  [[nodiscard]] SQLite::Statement& prepared(const std::string& sql);

  /// Runs a prepared statement to its end.
  void run(SQLite::Statement& one);
  /// Takes its next row; false: there is none, and it can be used again.
  [[nodiscard]] bool next_row(SQLite::Statement& one);

  /// Runs a statement of the user's. Throws `bad_arguments` if it is no single statement, or its
  /// arguments are not as many as it has parameters.
  [[nodiscard]] std::vector<row> run_of_user(const statement& one);

  /// Whether a transaction is open. SQLite ends it by itself after some failures.
  [[nodiscard]] bool in_transaction() const noexcept;

  /// How many rows the last statement has changed.
  [[nodiscard]] int changes() const noexcept { return database_->getChanges(); }

  [[nodiscard]] const std::string& file() const noexcept { return file_; }

  /// The error of the library for one of SQLite's.
  [[nodiscard]] error failed(const char* during, const SQLite::Exception& why) const;

 private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using statements = std::unordered_map<std::string, SQLite::Statement, text_hash, std::equal_to<>>;

  SQLite::Statement& prepared_of_user(const std::string& sql);
  void check_single(const std::string& sql) const;

  const std::string file_;
  std::unique_ptr<SQLite::Database> database_;
  statements own_;
  statements of_users_;
};

}  // namespace msgbus::durable::detail
