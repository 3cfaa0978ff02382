// The tables of every version become those of this one.

#include "durable/schema.hpp"

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/thrown.hpp"

#include <SQLiteCpp/Column.h>

namespace schema_test {

using msgbus::durable::detail::connection;
using msgbus::durable::detail::migrate;
using msgbus::durable::detail::migration;
using msgbus::durable::detail::schema_version;
using msgbus::durable::detail::version_of;
using msgbus::durable::detail::with_prefix;
using msgbus_test::quick;
using msgbus_test::temporary_folder;

namespace {

std::string tables_of(connection& in) {
  SQLite::Statement& all = in.prepared(
      "select coalesce(group_concat(sql, ';'), '') from (select sql from sqlite_master order by"
      " name)");
  std::string text;
  while (in.next_row(all)) text = all.getColumn(0).getString();
  return text;
}

}  // namespace

TEST_CASE("a file of every earlier version becomes one of this version", "[R4]") {
  const temporary_folder folder;
  connection newest(quick(folder.file("new.db")), connection::access::write);
  (void)migrate(newest, "msgbus_");
  for (std::int64_t version = 0; version <= schema_version(); ++version) {
    INFO("from version " << version);
    const std::string name = "old" + std::to_string(version) + ".db";
    connection old(quick(folder.file(name)), connection::access::write);
    for (std::int64_t from = 0; from < version; ++from) {
      for (const char* const each : migration(from)) {
        old.execute(with_prefix(each, "msgbus_").c_str());
      }
    }
    if (version > 0) {
      const std::string number = std::to_string(version);
      old.execute(
          ("update msgbus_meta set number = " + number + " where name = 'version'").c_str());
    }
    CHECK(version_of(old, "msgbus_") == version);
    CHECK(migrate(old, "msgbus_") == 1);
    CHECK(version_of(old, "msgbus_") == schema_version());
    CHECK(tables_of(old) == tables_of(newest));
  }
}

TEST_CASE("every start begins an epoch", "[R2]") {
  const temporary_folder folder;
  connection file(quick(folder.file()), connection::access::write);
  CHECK(migrate(file, "a_") == 1);
  CHECK(migrate(file, "a_") == 2);
  CHECK(migrate(file, "b_") == 1);
}

}  // namespace schema_test
