#include "durable/schema.hpp"

#include <SQLiteCpp/Column.h>

#include <algorithm>
#include <array>

namespace msgbus::durable::detail {

namespace {

// Forward only: a released version is never edited, the next one is added.
constexpr auto version_1 = std::to_array<const char*>({
    "create table %meta (name text primary key, number integer not null) without rowid",
    "insert into %meta values ('version', 1), ('epoch', 0)",

    "create table %outbox (seq integer primary key, id text not null, destination text not null,"
    " key text, type text not null, headers text not null, body blob not null, due_at integer,"
    " attempts integer not null default 0, owner integer not null)",
    "create unique index %outbox_id on %outbox (id, destination)",
    "create index %outbox_next on %outbox (destination, seq)",
    "create index %outbox_due on %outbox (due_at) where due_at is not null",

    "create table %inbox (id text not null, consumer text not null, received_at integer not null,"
    " handled_at integer, keep_until integer not null, primary key (id, consumer)) without rowid",
    "create index %inbox_old on %inbox (keep_until)",

    "create table %dead (seq integer primary key autoincrement, id text not null,"
    " destination text not null, key text, type text not null, headers text not null,"
    " body blob not null, reason text not null, attempts integer not null,"
    " failed_at integer not null)",
});

// When a message was committed, in milliseconds since 1970; 0 in rows of version 1.
constexpr auto version_2 = std::to_array<const char*>({
    "alter table %outbox add column created_at integer not null default 0",
});

// The answers of commands, which a repeated command gets. Ids of dead letters are kept. A message
// with a key comes back to its place.
constexpr auto version_3 = std::to_array<const char*>({
    "alter table %inbox add column answer blob",
    "alter table %inbox add column content_type text",
    "create index %dead_id on %dead (id)",
    "create index %outbox_keyed on %outbox (seq) where key is not null",
});

// Each row of an index costs about as much as the message. Ids are unique as they are made, and
// both are found by reading the messages in their order.
constexpr auto version_4 = std::to_array<const char*>({
    "drop index %outbox_id",
    "drop index %outbox_next",
});

constexpr auto versions =
    std::to_array<std::span<const char* const>>({version_1, version_2, version_3, version_4});

bool has_meta(connection& in, const std::string& prefix) {
  SQLite::Statement& find =
      in.prepared("select count(*) from sqlite_master where type = 'table' and name = ?");
  find.bind(1, prefix + "meta");
  std::int64_t count = 0;
  while (in.next_row(find)) count = find.getColumn(0).getInt64();
  return count != 0;
}

std::int64_t read_meta(connection& in, const std::string& prefix, const char* name) {
  SQLite::Statement& find =
      in.prepared(with_prefix("select number from %meta where name = ?", prefix));
  find.bind(1, name);
  std::int64_t number = 0;
  while (in.next_row(find)) number = find.getColumn(0).getInt64();
  return number;
}

void check_version(const connection& in, std::int64_t version) {
  if (version <= schema_version()) return;
  throw error(errc::unsupported, in.file() +
                                     " was written by a newer version of msgbus: its tables "
                                     "have version " +
                                     std::to_string(version) +
                                     ", and this program knows versions up to " +
                                     std::to_string(schema_version()));
}

}  // namespace

std::int64_t schema_version() noexcept { return static_cast<std::int64_t>(versions.size()); }

std::span<const char* const> migration(std::int64_t from) {
  return versions.at(static_cast<std::size_t>(from));
}

std::string with_prefix(std::string_view sql, std::string_view prefix) {
  std::string made;
  for (const char c : sql) {
    if (c == '%') {
      made += prefix;
    } else {
      made += c;
    }
  }
  return made;
}

void check_prefix(std::string_view prefix) {
  const bool is_word = std::all_of(prefix.begin(), prefix.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  const bool begins_well = !prefix.empty() && (prefix[0] < '0' || prefix[0] > '9');
  if (is_word && begins_well && !prefix.starts_with("sqlite_")) return;
  throw error(errc::bad_arguments,
              "'" + std::string(prefix) +
                  "' is no prefix for tables: it has letters, digits and underscores, and begins "
                  "with a letter, but not with sqlite_");
}

std::int64_t version_of(connection& in, const std::string& prefix) {
  return has_meta(in, prefix) ? read_meta(in, prefix, "version") : 0;
}

void check_readable(connection& in, const std::string& prefix) {
  const std::int64_t version = version_of(in, prefix);
  check_version(in, version);
  if (version > 0) return;
  throw error(errc::bad_arguments, in.file() + " has no tables of msgbus with the prefix '" +
                                       prefix + "': no durable database was opened there");
}

std::int64_t migrate(connection& in, const std::string& prefix) {
  check_version(in, version_of(in, prefix));
  in.execute("begin immediate");
  try {
    const std::int64_t found = version_of(in, prefix);
    check_version(in, found);
    for (std::int64_t from = found; from < schema_version(); ++from) {
      for (const char* const each : migration(from)) in.execute(with_prefix(each, prefix).c_str());
    }
    SQLite::Statement& set =
        in.prepared(with_prefix("update %meta set number = ? where name = ?", prefix));
    set.bind(1, schema_version());
    set.bind(2, "version");
    in.run(set);
    const std::int64_t epoch = read_meta(in, prefix, "epoch") + 1;
    set.bind(1, epoch);
    set.bind(2, "epoch");
    in.run(set);
    in.execute("commit");
    return epoch;
  } catch (...) {
    if (in.in_transaction()) in.execute("rollback");
    throw;
  }
}

}  // namespace msgbus::durable::detail
