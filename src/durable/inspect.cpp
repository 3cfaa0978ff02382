#include <msgbus/durable/inspect.hpp>

#include "core/text.hpp"
#include "durable/connection.hpp"
#include "durable/outbox.hpp"
#include "durable/schema.hpp"

#include <SQLiteCpp/Column.h>

#include <exception>
#include <utility>

namespace msgbus::durable {

namespace detail {

namespace {

/// During its lifetime, all reads see the file at one moment.
class one_snapshot {
 public:
  explicit one_snapshot(connection& in) : in_(in) { in_.execute("begin"); }
  one_snapshot(const one_snapshot&) = delete;
  one_snapshot& operator=(const one_snapshot&) = delete;
  ~one_snapshot() {
    if (!in_.in_transaction()) return;  // SQLite has ended it because of a failure
    try {
      in_.execute("rollback");  // nothing was written
    } catch (const error&) {
      say({"the end of a read of ", in_.file(), " failed: "}, std::current_exception());
    }
  }

 private:
  connection& in_;
};

std::uint64_t count_of(connection& in, const std::string& sql) {
  SQLite::Statement& count = in.prepared(sql);
  std::uint64_t found = 0;
  while (in.next_row(count)) found = static_cast<std::uint64_t>(count.getColumn(0).getInt64());
  return found;
}

/// Tables of version 1 have no time of commit, and rows that came from them have zero.
const char* created_at(std::int64_t version) { return version >= 2 ? "created_at" : "0"; }

std::optional<wall_clock::time_point> time_of(const SQLite::Column& from) {
  if (from.isNull() || from.getInt64() == 0) return std::nullopt;
  return from_file(from.getInt64());
}

}  // namespace

file_status read_status(connection& in, const std::string& prefix) {
  const one_snapshot all(in);
  file_status made;
  made.version = version_of(in, prefix);
  SQLite::Statement& waiting = in.prepared(with_prefix(
      std::string("select destination, type, count(*), count(due_at), total(attempts > 0), min(") +
          created_at(made.version) +
          ") from %outbox group by destination, type order by destination, type",
      prefix));
  while (in.next_row(waiting)) {
    waiting_messages& one = made.waiting.emplace_back();
    one.destination = waiting.getColumn(0).getString();
    one.type = waiting.getColumn(1).getString();
    one.count = static_cast<std::uint64_t>(waiting.getColumn(2).getInt64());
    one.scheduled = static_cast<std::uint64_t>(waiting.getColumn(3).getInt64());
    one.failed = static_cast<std::uint64_t>(waiting.getColumn(4).getInt64());
    one.oldest = time_of(waiting.getColumn(5));
  }
  made.dead_letters = count_of(in, with_prefix("select count(*) from %dead", prefix));
  made.handled_ids = count_of(in, with_prefix("select count(*) from %inbox", prefix));
  return made;
}

std::vector<waiting_message> read_waiting(connection& in, const std::string& prefix,
                                          std::size_t most) {
  SQLite::Statement& find =
      in.prepared(with_prefix(std::string("select seq, id, destination, type, body, attempts, ") +
                                  created_at(version_of(in, prefix)) +
                                  ", due_at from %outbox"
                                  " order by seq limit ?",
                              prefix));
  find.bind(1, static_cast<std::int64_t>(most));
  std::vector<waiting_message> all;
  while (in.next_row(find)) {
    waiting_message& made = all.emplace_back();
    made.seq = find.getColumn(0).getInt64();
    made.message_id = find.getColumn(1).getString();
    made.destination = find.getColumn(2).getString();
    made.type = find.getColumn(3).getString();
    made.body = bytes_of(find.getColumn(4));
    made.attempts = static_cast<std::size_t>(find.getColumn(5).getInt64());
    made.committed = time_of(find.getColumn(6));
    made.due = time_of(find.getColumn(7));
  }
  return all;
}

}  // namespace detail

struct inspector::state {
  state(std::string file, std::string of_tables)
      : prefix(std::move(of_tables)), reads(options_for(std::move(file)), access::read) {
    detail::check_prefix(prefix);
    detail::check_readable(reads, prefix);
  }

  using access = detail::connection::access;

  static open_options options_for(std::string file) {
    open_options made;
    made.file = std::move(file);
    return made;
  }

  const std::string prefix;
  detail::connection reads;
};

inspector::inspector(std::string file, std::string prefix)
    : state_(std::make_unique<state>(std::move(file), std::move(prefix))) {}

inspector::~inspector() = default;

file_status inspector::status() { return detail::read_status(state_->reads, state_->prefix); }

std::vector<waiting_message> inspector::messages(std::size_t most) {
  return detail::read_waiting(state_->reads, state_->prefix, most);
}

std::vector<dead_letter> inspector::dead_letters(std::size_t most) {
  return detail::read_dead_letters(state_->reads, state_->prefix, most);
}

}  // namespace msgbus::durable
