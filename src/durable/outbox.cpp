#include "durable/outbox.hpp"

#include <msgbus/transport/envelope.hpp>

#include "core/text.hpp"
#include "durable/schema.hpp"

#include <SQLiteCpp/Column.h>

#include <algorithm>

namespace msgbus::durable::detail {

namespace {

open_options owner_file(open_options of) {
  check_prefix(of.prefix);
  if (!of.file.empty() && of.file != ":memory:" && !of.file.starts_with("file:")) {
    of.file += "-owner";
  }
  of.busy_timeout = std::chrono::milliseconds(0);
  return of;
}

}  // namespace

std::int64_t to_file(wall_clock::time_point time) noexcept {
  return std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string bytes_of(const SQLite::Column& from) {
  const void* const bytes = from.getBlob();
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(from.getBytes())};
}

wall_clock::time_point from_file(std::int64_t time) noexcept {
  return wall_clock::time_point(
      std::chrono::duration_cast<wall_clock::duration>(std::chrono::milliseconds(time)));
}

std::string lines_of(const headers& all) {
  std::string lines;
  for (const auto& [name, text] : all) {
    if (name == header::message_id || name == header::type) continue;
    lines.append(name).append(": ").append(text).append("\n");
  }
  return lines;
}

headers headers_of(std::string_view lines) {
  headers all;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    all.add(line.substr(0, colon), line.substr(colon + 2));
  }
  return all;
}

outbox::outbox(const open_options& options)
    : prefix_(options.prefix),
      owner_(owner_file(options), connection::access::lock),
      file_(options, connection::access::write),
      epoch_(migrate(file_, prefix_)) {
  file_.run(sql("update %outbox set due_at = null, key = null where key is not null"));
  SQLite::Statement& last = sql("select coalesce(max(seq), 0) from %outbox");
  while (file_.next_row(last)) last_seq_ = last.getColumn(0).getInt64();
  reread_next_due();
}

SQLite::Statement& outbox::sql(const char* text) {
  SQLite::Statement*& found = by_text_[text];
  if (found == nullptr) found = &file_.prepared(with_prefix(text, prefix_));
  return *found;
}

void outbox::begin() {
  file_.run(sql("begin immediate"));
  SQLite::Statement& read = sql("select number from %meta where name = 'epoch'");
  std::int64_t now = 0;
  while (file_.next_row(read)) now = read.getColumn(0).getInt64();
  if (now == epoch_) return;
  roll_back();
  throw error(errc::database_failed, file_.file() + " has another owner: it was opened " +
                                         std::to_string(now - epoch_) +
                                         " times after this process had opened it");
}

void outbox::commit() { file_.run(sql("commit")); }

void outbox::roll_back() noexcept {
  if (!file_.in_transaction()) return;
  try {
    file_.run(sql("rollback"));
  } catch (const error&) {
    // SQLite rolls back before the next statement; if it cannot, `begin` throws.
    say({"a rollback of ", file_.file(), " failed: "}, std::current_exception());
  }
}

void outbox::insert(message_row& added) {
  SQLite::Statement& put =
      sql("insert into %outbox (seq, id, destination, type, headers, body, due_at, attempts, owner,"
          " created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  added.seq = ++last_seq_;
  put.bind(1, added.seq);
  put.bindNoCopy(2, added.id);
  put.bindNoCopy(3, added.destination);
  put.bindNoCopy(4, added.type);
  put.bindNoCopy(5, added.headers);
  put.bindNoCopy(6, static_cast<const void*>(added.body.data()),
                 static_cast<int>(added.body.size()));
  if (added.due) {
    put.bind(7, *added.due);
    next_due_ = std::min(next_due_, *added.due);
  } else {
    put.bind(7);
  }
  put.bind(8, added.attempts);
  put.bind(9, epoch_);
  put.bind(10, to_file(wall_clock::now()));
  file_.run(put);
}

void outbox::erase(std::int64_t seq) {
  SQLite::Statement& remove = sql("delete from %outbox where seq = ?");
  remove.bind(1, seq);
  file_.run(remove);
}

void outbox::reschedule(std::int64_t seq, std::int64_t attempts, std::int64_t due,
                        const std::optional<std::string>& key) {
  SQLite::Statement& set =
      sql("update %outbox set attempts = ?, due_at = ?, key = ? where seq = ?");
  set.bind(1, attempts);
  set.bind(2, due);
  if (key) {
    set.bind(3, *key);
  } else {
    set.bind(3);
  }
  set.bind(4, seq);
  file_.run(set);
  next_due_ = std::min(next_due_, due);
}

void outbox::move_to_dead_letters(std::int64_t seq, const std::string& reason,
                                  std::int64_t attempts, std::int64_t now) {
  SQLite::Statement& copy =
      sql("insert into %dead (id, destination, key, type, headers, body, reason, attempts,"
          " failed_at) select id, destination, key, type, headers, body, ?, ?, ? from %outbox"
          " where seq = ?");
  copy.bindNoCopy(1, reason);
  copy.bind(2, attempts);
  copy.bind(3, now);
  copy.bind(4, seq);
  file_.run(copy);
  step("dead letter: copied");
  erase(seq);
}

message_row outbox::read_row(const SQLite::Statement& from) {
  message_row made;
  made.seq = from.getColumn(0).getInt64();
  made.id = from.getColumn(1).getString();
  made.destination = from.getColumn(2).getString();
  made.type = from.getColumn(3).getString();
  made.headers = from.getColumn(4).getString();
  made.body = bytes_of(from.getColumn(5));
  made.attempts = from.getColumn(6).getInt64();
  return made;
}

std::vector<message_row> outbox::load(const std::string& destination,
                                      const std::vector<std::string>& types, std::int64_t after,
                                      std::size_t most) {
  // The types are few and named by the program, so each set is a statement of its own.
  std::string text =
      "select seq, id, destination, type, headers, body, attempts, owner from %outbox"
      " where destination = ? and seq > ? and due_at is null and type in (";
  for (std::size_t i = 0; i < types.size(); ++i) text += i == 0 ? "?" : ", ?";
  text += ") order by seq limit ?";
  SQLite::Statement& find = file_.prepared(with_prefix(text, prefix_));
  int at = 0;
  find.bind(++at, destination);
  find.bind(++at, after);
  for (const std::string& each : types) find.bind(++at, each);
  find.bind(++at, static_cast<std::int64_t>(most));
  std::vector<message_row> rows;
  while (file_.next_row(find)) {
    rows.push_back(read_row(find));
    rows.back().is_taken_over = find.getColumn(7).getInt64() != epoch_;
  }
  return rows;
}

std::vector<message_row> outbox::load(const std::vector<std::int64_t>& positions) {
  SQLite::Statement& find =
      sql("select seq, id, destination, type, headers, body, attempts, owner from %outbox"
          " where seq = ?");
  std::vector<message_row> rows;
  for (const std::int64_t seq : positions) {
    find.bind(1, seq);
    while (file_.next_row(find)) {
      rows.push_back(read_row(find));
      rows.back().is_taken_over = find.getColumn(7).getInt64() != epoch_;
    }
  }
  return rows;
}

std::vector<message_row> outbox::release_due(std::int64_t now, std::size_t most) {
  SQLite::Statement& find =
      sql("select seq, id, destination, type, headers, body, attempts, owner, key from %outbox"
          " where due_at is not null and due_at <= ? order by due_at, seq limit ?");
  find.bind(1, now);
  find.bind(2, static_cast<std::int64_t>(most));
  std::vector<message_row> rows;
  while (file_.next_row(find)) {
    rows.push_back(read_row(find));
    rows.back().keeps_place = !find.getColumn(8).isNull();
    rows.back().is_taken_over = find.getColumn(7).getInt64() != epoch_;
  }
  SQLite::Statement& set =
      sql("update %outbox set seq = ?, due_at = null, key = null where seq = ?");
  for (message_row& each : rows) {
    const std::int64_t next = each.keeps_place ? each.seq : ++last_seq_;
    set.bind(1, next);
    set.bind(2, each.seq);
    file_.run(set);
    each.seq = next;
  }
  reread_next_due();
  return rows;
}

void outbox::reread_next_due() {
  SQLite::Statement& first = sql("select min(due_at) from %outbox where due_at is not null");
  next_due_ = never;
  while (file_.next_row(first)) {
    if (!first.getColumn(0).isNull()) next_due_ = first.getColumn(0).getInt64();
  }
}

std::optional<std::int64_t> outbox::next_due() const noexcept {
  if (next_due_ == never) return std::nullopt;
  return next_due_;
}

std::optional<message_row> outbox::replay(std::int64_t dead_letter) {
  SQLite::Statement& find =
      sql("select seq, id, destination, type, headers, body, 0 from %dead where seq = ?");
  find.bind(1, dead_letter);
  std::optional<message_row> found;
  while (file_.next_row(find)) found = read_row(find);
  if (!found) return found;
  found->is_taken_over = true;
  insert(*found);
  if (!discard(dead_letter)) found.reset();
  return found;
}

bool outbox::discard(std::int64_t dead_letter) {
  SQLite::Statement& remove = sql("delete from %dead where seq = ?");
  remove.bind(1, dead_letter);
  file_.run(remove);
  return file_.changes() != 0;
}

std::size_t outbox::clean_up(std::int64_t now, std::size_t most) {
  SQLite::Statement& remove =
      sql("delete from %inbox where (id, consumer) in (select id, consumer from %inbox as old"
          " where keep_until <= ? and not exists (select 1 from %outbox where id = old.id)"
          " and not exists (select 1 from %dead where id = old.id) order by keep_until limit ?)");
  remove.bind(1, now);
  remove.bind(2, static_cast<std::int64_t>(most));
  file_.run(remove);
  return static_cast<std::size_t>(file_.changes());
}

void outbox::checkpoint() {
  step("checkpoint: before");
  file_.execute("pragma wal_checkpoint(truncate)");
  step("checkpoint: after");
}

std::vector<dead_letter> read_dead_letters(connection& in, const std::string& prefix,
                                           std::size_t most) {
  SQLite::Statement& find = in.prepared(
      with_prefix("select seq, id, destination, type, body, reason, attempts, failed_at from %dead"
                  " order by seq limit ?",
                  prefix));
  find.bind(1, static_cast<std::int64_t>(most));
  std::vector<dead_letter> all;
  while (in.next_row(find)) {
    dead_letter& made = all.emplace_back();
    made.id = find.getColumn(0).getInt64();
    made.message_id = find.getColumn(1).getString();
    made.destination = find.getColumn(2).getString();
    made.type = find.getColumn(3).getString();
    made.body = bytes_of(find.getColumn(4));
    made.reason = find.getColumn(5).getString();
    made.attempts = static_cast<std::size_t>(find.getColumn(6).getInt64());
    made.failed_at = from_file(find.getColumn(7).getInt64());
  }
  return all;
}

}  // namespace msgbus::durable::detail
