#include "durable/outbox.hpp"

#include <msgbus/transport/envelope.hpp>

#include "core/text.hpp"
#include "durable/schema.hpp"

#include <SQLiteCpp/Column.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

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

std::string line_of(std::string_view name, std::string_view value) {
  std::string line;
  line.reserve(name.size() + value.size() + 3);
  line.append(name).append(": ").append(value).append("\n");
  return line;
}

std::string lines_of(const headers& all) {
  std::string lines;
  for (const auto& [name, text] : all) {
    if (name == header::message_id || name == header::type) continue;
    lines += line_of(name, text);
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

void outbox::commit() {
  write_all();
  erase_all();
  file_.run(sql("commit"));
  due_has_changed_ = false;
}

void outbox::roll_back() noexcept {
  to_write_.clear();
  to_erase_.clear();
  // What was due before is due again, so look at once.
  if (std::exchange(due_has_changed_, false)) next_due_ = 0;
  if (!file_.in_transaction()) return;
  try {
    file_.run(sql("rollback"));
  } catch (const error&) {
    // SQLite rolls back before the next statement; if it cannot, `begin` throws.
    say({"a rollback of ", file_.file(), " failed: "}, std::current_exception());
  }
}

void outbox::insert(message_row& added) {
  added.seq = ++last_seq_;
  if (added.due) {
    next_due_ = std::min(next_due_, *added.due);
    due_has_changed_ = true;
  }
  to_write_.push_back(&added);
}

SQLite::Statement& outbox::insert_of(std::size_t rows, bool alike) {
  SQLite::Statement*& put = (alike ? alike_inserts_ : inserts_).at(rows - 1);
  if (put != nullptr) return *put;
  std::string text = "insert into %outbox (owner, created_at, destination, type, headers, seq, id,";
  text += alike ? " body) values " : " body, due_at) values ";
  const char* const row = alike ? "(?1, ?2, ?3, ?4, ?5, ?, ?, ?)" : "(?1, ?2, ?, ?, ?, ?, ?, ?, ?)";
  for (std::size_t i = 0; i < rows; ++i) (text += i == 0 ? "" : ", ") += row;
  put = &file_.prepared(with_prefix(text, prefix_));
  return *put;
}

void outbox::write(std::span<const message_row* const> rows) {
  const message_row& first = *rows.front();
  const bool alike = std::ranges::all_of(
      rows, [&](const message_row* each) { return !each->due && each->is_like(first); });
  SQLite::Statement& put = insert_of(rows.size(), alike);
  int at = 0;
  const auto bind_kind = [&](const message_row& of) {
    put.bindNoCopy(++at, of.destination);
    put.bindNoCopy(++at, of.type);
    put.bindNoCopy(++at, of.headers);
  };
  put.bind(++at, epoch_);
  put.bind(++at, to_file(wall_clock::now()));
  if (alike) bind_kind(first);
  for (const message_row* const each : rows) {
    if (!alike) bind_kind(*each);
    put.bind(++at, each->seq);
    put.bindNoCopy(++at, each->id);
    put.bindNoCopy(++at, static_cast<const void*>(each->body.data()),
                   static_cast<int>(each->body.size()));
    if (alike) continue;
    if (each->due) {
      put.bind(++at, *each->due);
    } else {
      put.bind(++at);
    }
  }
  file_.run(put);
}

void outbox::write_some() {
  if (to_write_.size() < rows_together) return;
  std::span<const message_row* const> left(to_write_);
  for (; left.size() >= rows_together; left = left.subspan(rows_together)) {
    write(left.first(rows_together));
  }
  to_write_.erase(to_write_.begin(), to_write_.end() - static_cast<std::ptrdiff_t>(left.size()));
}

void outbox::write_all() {
  write_some();
  // Powers of two, so that there are few statements.
  std::span<const message_row* const> left(to_write_);
  while (!left.empty()) {
    const std::size_t many = std::bit_floor(left.size());
    write(left.first(many));
    left = left.subspan(many);
  }
  to_write_.clear();
}

void outbox::erase_all() {
  if (to_erase_.empty()) return;
  step("mark: before");
  std::sort(to_erase_.begin(), to_erase_.end());
  SQLite::Statement& remove = sql("delete from %outbox where seq between ? and ?");
  for (auto first = to_erase_.begin(); first != to_erase_.end();) {
    auto last = first;
    while (std::next(last) != to_erase_.end() && *std::next(last) == *last + 1) ++last;
    remove.bind(1, *first);
    remove.bind(2, *last);
    file_.run(remove);
    first = std::next(last);
  }
  to_erase_.clear();
  step("mark: after");
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
  due_has_changed_ = true;
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
  SQLite::Statement& remove = sql("delete from %outbox where seq = ?");
  remove.bind(1, seq);
  file_.run(remove);
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

loaded_rows outbox::load(const std::string& destination, const std::vector<std::string>& types,
                         std::int64_t after, std::size_t most, std::int64_t positions) {
  loaded_rows made{.rows = {}, .up_to = last_seq_, .is_last = true};
  SQLite::Statement& first = sql("select min(seq) from %outbox where seq > ?");
  first.bind(1, after);
  std::int64_t begin = last_seq_;
  while (file_.next_row(first)) {
    if (!first.getColumn(0).isNull()) begin = first.getColumn(0).getInt64() - 1;
  }
  if (begin == last_seq_) return made;
  made.up_to = std::min(last_seq_, begin + positions);
  // The types are few and named by the program, so each set is a statement of its own.
  std::string text =
      "select seq, id, destination, type, headers, body, attempts, owner from %outbox"
      " where seq > ? and seq <= ? and destination = ? and due_at is null and type in (";
  for (std::size_t i = 0; i < types.size(); ++i) text += i == 0 ? "?" : ", ?";
  text += ") order by seq limit ?";
  SQLite::Statement& find = file_.prepared(with_prefix(text, prefix_));
  int at = 0;
  find.bind(++at, begin);
  find.bind(++at, made.up_to);
  find.bind(++at, destination);
  for (const std::string& each : types) find.bind(++at, each);
  find.bind(++at, static_cast<std::int64_t>(most));
  while (file_.next_row(find)) {
    made.rows.push_back(read_row(find));
    made.rows.back().is_taken_over = find.getColumn(7).getInt64() != epoch_;
  }
  if (made.rows.size() == most) made.up_to = made.rows.back().seq;
  made.is_last = made.rows.size() < most && made.up_to == last_seq_;
  return made;
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
  due_has_changed_ = true;
  reread_next_due();
  return rows;
}

void outbox::reread_next_due() {
  SQLite::Statement& first = sql("select min(due_at) from %outbox where due_at is not null");
  std::int64_t next = never;
  while (file_.next_row(first)) {
    if (!first.getColumn(0).isNull()) next = first.getColumn(0).getInt64();
  }
  // Those of this transaction that are not written yet.
  for (const message_row* const each : to_write_) {
    if (each->due) next = std::min(next, *each->due);
  }
  next_due_ = next;
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
  found->seq = ++last_seq_;
  const message_row* const one = &*found;
  write({&one, 1});
  if (!discard(dead_letter)) found.reset();
  return found;
}

bool outbox::discard(std::int64_t dead_letter) {
  SQLite::Statement& remove = sql("delete from %dead where seq = ?");
  remove.bind(1, dead_letter);
  file_.run(remove);
  return file_.changes() != 0;
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
