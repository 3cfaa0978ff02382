#include "durable/connection.hpp"

#include "core/text.hpp"

#include <SQLiteCpp/Column.h>
#include <sqlite3.h>

#include <algorithm>

namespace msgbus::durable::detail {

namespace {

constexpr std::size_t most_kept_statements = 256;

/// Refuses statements that would end the shared transaction, or change the connection.
int authorize(void*, int action, const char*, const char*, const char*, const char*) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA: return SQLITE_DENY;
    default: return SQLITE_OK;
  }
}

void check_file(const std::string& file) {
  if (file.empty()) {
    throw error(errc::bad_arguments, "a durable database needs a file: {.file = \"shop.db\"}");
  }
  if (file == ":memory:" || file.starts_with("file:")) {
    throw error(errc::bad_arguments,
                "'" + file +
                    "' is not the path of a file: a durable database must keep committed "
                    "messages after the process has ended");
  }
}

const char* name_of(synchronous wanted) {
  switch (wanted) {
    case synchronous::normal: return "pragma synchronous = normal";
    case synchronous::off: return "pragma synchronous = off";
    case synchronous::full: break;
  }
  return "pragma synchronous = full";
}

void bind(SQLite::Statement& to, int index, const value& from) {
  if (const auto* number = std::get_if<std::int64_t>(&from)) {
    to.bind(index, *number);
  } else if (const auto* real = std::get_if<double>(&from)) {
    to.bind(index, *real);
  } else if (const auto* text = std::get_if<std::string>(&from)) {
    to.bindNoCopy(index, *text);
  } else if (const auto* bytes = std::get_if<blob>(&from)) {
    static const char nothing = 0;  // a null pointer would be bound as null
    const void* const data = bytes->empty() ? static_cast<const void*>(&nothing) : bytes->data();
    to.bindNoCopy(index, data, static_cast<int>(bytes->size()));
  } else {
    to.bind(index);
  }
}

value read(const SQLite::Column& from) {
  if (from.isInteger()) return from.getInt64();
  if (from.isFloat()) return from.getDouble();
  if (from.isText()) return from.getString();
  if (from.isBlob()) {
    const auto* const bytes = static_cast<const std::byte*>(from.getBlob());
    return blob(bytes, bytes + from.getBytes());
  }
  return {};
}

/// Ends the use of a statement, also where it has failed: a statement in use keeps a transaction
/// open.
class reset_at_end {
 public:
  explicit reset_at_end(SQLite::Statement& of) noexcept : of_(of) {}
  reset_at_end(const reset_at_end&) = delete;
  reset_at_end& operator=(const reset_at_end&) = delete;
  ~reset_at_end() { (void)of_.tryReset(); }

 private:
  SQLite::Statement& of_;
};

}  // namespace

connection::connection(const open_options& options, access mode) : file_(options.file) {
  check_file(file_);
  const bool writes = mode != access::read;
  const int flags = writes ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY;
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options.busy_timeout);
  try {
    database_ = std::make_unique<SQLite::Database>(file_, flags | SQLite::OPEN_NOMUTEX,
                                                   static_cast<int>(timeout.count()), options.vfs);
    sqlite3_extended_result_codes(database_->getHandle(), 1);
    if (mode == access::lock) {
      database_->exec("begin exclusive");
    } else if (writes) {
      const std::string mode_now = database_->execAndGet("pragma journal_mode = wal").getString();
      if (mode_now != "wal") {
        throw error(errc::database_failed,
                    file_ + " cannot have a write-ahead log (its journal mode stays '" + mode_now +
                        "'): it is read-only, or its file system has no shared memory");
      }
      database_->exec(name_of(options.synchronous));
      // Two syncs each time, and messages that were deleted meanwhile are never copied. 16 MB.
      database_->exec("pragma wal_autocheckpoint = 4000");
    }
  } catch (const SQLite::Exception& e) {
    if (mode == access::lock && e.getErrorCode() == SQLITE_BUSY) {
      throw error(errc::database_failed,
                  file_ +
                      " is locked: another process, or another durable::database of this one, "
                      "owns the file, and a file has one owner at a time");
    }
    throw failed("opening it", e);
  }
}

connection::~connection() = default;

void connection::execute(const char* sql) {
  try {
    database_->exec(sql);
  } catch (const SQLite::Exception& e) {
    throw failed(sql, e);
  }
}

SQLite::Statement& connection::prepared(const std::string& sql) {
  if (const auto found = own_.find(sql); found != own_.end()) return found->second;
  try {
    return own_.emplace(sql, SQLite::Statement(*database_, sql)).first->second;
  } catch (const SQLite::Exception& e) {
    throw failed(sql.c_str(), e);
  }
}

void connection::run(SQLite::Statement& one) {
  const reset_at_end end(one);
  try {
    while (one.executeStep()) {
    }
  } catch (const SQLite::Exception& e) {
    throw failed(one.getQuery().c_str(), e);
  }
}

bool connection::next_row(SQLite::Statement& one) {
  try {
    if (one.executeStep()) return true;
  } catch (const SQLite::Exception& e) {
    (void)one.tryReset();
    throw failed(one.getQuery().c_str(), e);
  }
  (void)one.tryReset();
  return false;
}

std::vector<row> connection::run_of_user(const statement& one) {
  SQLite::Statement& made = prepared_of_user(one.sql);
  const int wanted = made.getBindParameterCount();
  if (static_cast<std::size_t>(wanted) != one.values.size()) {
    throw error(errc::bad_arguments, "the statement '" + shortened(one.sql, 200) + "' has " +
                                         std::to_string(wanted) + " parameters, and was given " +
                                         std::to_string(one.values.size()) + " arguments");
  }
  const reset_at_end end(made);
  std::vector<row> rows;
  try {
    for (std::size_t i = 0; i < one.values.size(); ++i) {
      bind(made, static_cast<int>(i) + 1, one.values[i]);
    }
    std::shared_ptr<std::vector<std::string>> columns;
    while (made.executeStep()) {
      const int count = made.getColumnCount();
      if (!columns) {
        columns = std::make_shared<std::vector<std::string>>();
        for (int i = 0; i < count; ++i) columns->emplace_back(made.getColumnName(i));
      }
      std::vector<value> values;
      values.reserve(static_cast<std::size_t>(count));
      for (int i = 0; i < count; ++i) values.push_back(read(made.getColumn(i)));
      rows.emplace_back(columns, std::move(values));
    }
  } catch (const SQLite::Exception& e) {
    throw failed(one.sql.c_str(), e);
  }
  return rows;
}

bool connection::in_transaction() const noexcept {
  return sqlite3_get_autocommit(database_->getHandle()) == 0;
}

error connection::failed(const char* during, const SQLite::Exception& why) const {
  const int code = why.getExtendedErrorCode() > 0 ? why.getExtendedErrorCode() : why.getErrorCode();
  std::string text = file_ + ": " + why.what();
  if (code > 0) {
    const std::string meaning = sqlite3_errstr(code);
    if (text.find(meaning) == std::string::npos) text += " (" + meaning + ")";
    text += " (SQLite " + std::to_string(code) + ")";
  }
  if (why.getErrorCode() == SQLITE_AUTH) {
    text +=
        "; the library begins and ends the transactions of this connection, so a statement "
        "cannot be BEGIN, COMMIT, ROLLBACK, SAVEPOINT, ATTACH, DETACH or PRAGMA";
  }
  return error(errc::database_failed, text + ", during: " + shortened(during, 200));
}

SQLite::Statement& connection::prepared_of_user(const std::string& sql) {
  if (const auto found = of_users_.find(sql); found != of_users_.end()) return found->second;
  if (of_users_.size() >= most_kept_statements) of_users_.clear();
  struct only_here {
    sqlite3* handle;
    explicit only_here(sqlite3* of) : handle(of) {
      sqlite3_set_authorizer(of, &authorize, nullptr);
    }
    only_here(const only_here&) = delete;
    only_here& operator=(const only_here&) = delete;
    ~only_here() { sqlite3_set_authorizer(handle, nullptr, nullptr); }
  };
  try {
    const only_here authorizing(database_->getHandle());
    check_single(sql);
    return of_users_.emplace(sql, SQLite::Statement(*database_, sql)).first->second;
  } catch (const SQLite::Exception& e) {
    throw failed(sql.c_str(), e);
  }
}

// SQLite compiles the first statement of a text and leaves the rest.
void connection::check_single(const std::string& sql) const {
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  sqlite3* const handle = database_->getHandle();
  const int result =
      sqlite3_prepare_v2(handle, sql.c_str(), static_cast<int>(sql.size()) + 1, &made, &rest);
  const bool is_empty = made == nullptr;
  sqlite3_finalize(made);
  if (result != SQLITE_OK) throw SQLite::Exception(handle, result);
  if (is_empty) {
    throw error(errc::bad_arguments, "'" + shortened(sql, 200) + "' is no statement");
  }
  const std::string_view more(rest);
  if (more.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    throw error(errc::bad_arguments,
                "'" + shortened(sql, 200) + "' is more than one statement: give them one by one");
  }
}

}  // namespace msgbus::durable::detail
