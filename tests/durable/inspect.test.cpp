#include <msgbus/durable/inspect.hpp>

#include <msgbus/durable/database.hpp>

#include "durable/outbox.hpp"
#include "durable/schema.hpp"
#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/thrown.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace inspect_test {

using msgbus::errc;
using msgbus::durable::file_status;
using msgbus::durable::inspector;
using msgbus::durable::detail::connection;
using msgbus::durable::detail::from_file;
using msgbus::durable::detail::message_row;
using msgbus::durable::detail::migration;
using msgbus::durable::detail::outbox;
using msgbus::durable::detail::with_prefix;
using msgbus_test::caught;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::loop;
using msgbus_test::quick;
using msgbus_test::temporary_folder;

namespace {

void add(outbox& to, message_row row) {
  to.begin();
  to.insert(row);
  to.commit();
}

/// Three messages for billing, of which one is scheduled and one has failed; one dead letter.
void fill(outbox& to) {
  add(to, {.id = "a", .destination = "billing", .type = "placed", .body = "1"});
  add(to, {.id = "b", .destination = "billing", .type = "placed", .body = "2", .due = 4000});
  add(to, {.id = "c", .destination = "billing", .type = "placed", .body = "3"});
  add(to, {.id = "d", .destination = "audit", .type = "placed", .body = "4"});
  add(to, {.id = "e", .destination = "audit", .type = "placed", .body = "5"});
  to.file().execute("update msgbus_outbox set attempts = 2 where id = 'c'");
  to.move_to_dead_letters(5, "no ink", 3, 9000);
  to.file().execute(
      "insert into msgbus_inbox (id, consumer, received_at, handled_at, keep_until) values ('x', "
      "'billing', 1, 1, 10)");
}

auto inspecting(const std::string& file, const std::string& prefix = "msgbus_") {
  return [=] { const inspector made(file, prefix); };
}

}  // namespace

TEST_CASE("an inspector counts waiting messages, also while a program has the file open", "[R3]") {
  const temporary_folder folder;
  const auto before = std::chrono::system_clock::now();
  outbox owner(quick(folder.file()));
  fill(owner);
  inspector reads(folder.file());
  const file_status status = reads.status();
  CHECK(status.dead_letters == 1);
  CHECK(status.handled_ids == 1);
  REQUIRE(status.waiting.size() == 2);
  CHECK(status.waiting[0].destination == "audit");
  CHECK(status.waiting[0].count == 1);
  CHECK(status.waiting[1].destination == "billing");
  CHECK(status.waiting[1].type == "placed");
  CHECK(status.waiting[1].count == 3);
  CHECK(status.waiting[1].scheduled == 1);
  CHECK(status.waiting[1].failed == 1);
  REQUIRE(status.waiting[1].oldest);
  CHECK(*status.waiting[1].oldest >= before);
  CHECK(*status.waiting[1].oldest <=
        std::chrono::system_clock::now() + std::chrono::milliseconds(1));
}

TEST_CASE("an inspector lists messages and dead letters, at most so many", "[R3]") {
  const temporary_folder folder;
  outbox owner(quick(folder.file()));
  fill(owner);
  inspector reads(folder.file());
  const auto all = reads.messages();
  REQUIRE(all.size() == 4);
  CHECK(all[0].message_id == "a");
  CHECK(all[0].body == "1");
  CHECK_FALSE(all[0].due);
  REQUIRE(all[1].due);
  CHECK(*all[1].due == from_file(4000));
  CHECK(all[2].attempts == 2);
  CHECK(reads.messages(2).size() == 2);
  const auto letters = reads.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].reason == "no ink");
  CHECK(reads.dead_letters(0).empty());
}

TEST_CASE("an inspector sees commits from after it was made", "[R3]") {
  const temporary_folder folder;
  outbox owner(quick(folder.file()));
  inspector reads(folder.file());
  CHECK(reads.status().waiting.empty());
  message_row row{.id = "a", .destination = "billing", .type = "placed"};
  owner.begin();
  owner.insert(row);
  CHECK(reads.status().waiting.empty());
  owner.commit();
  CHECK(reads.messages().size() == 1);
}

TEST_CASE("a file of version 1 can be inspected, and has no times of commits", "[R4]") {
  const temporary_folder folder;
  connection old(quick(folder.file()), connection::access::write);
  for (const char* const each : migration(0)) old.execute(with_prefix(each, "msgbus_").c_str());
  old.execute(
      "insert into msgbus_outbox (seq, id, destination, type, headers, body, owner)"
      " values (1, 'a', 'billing', 'placed', '', x'00', 1)");
  inspector reads(folder.file());
  CHECK(reads.status().version == 1);
  REQUIRE(reads.status().waiting.size() == 1);
  CHECK_FALSE(reads.status().waiting[0].oldest);
  CHECK(reads.messages().at(0).body == std::string(1, '\0'));
}

TEST_CASE("an inspector creates no file, and names a file that it cannot read", "[R4]") {
  const temporary_folder folder;
  CHECK(code_of(inspecting(folder.file("none.db"))) == errc::database_failed);
  CHECK_FALSE(std::filesystem::exists(folder.file("none.db")));
  {
    std::ofstream(folder.file("text.db")) << "this is no database, but a text of some length\n";
  }
  CHECK(code_of(inspecting(folder.file("text.db"))) == errc::database_failed);

  outbox owner(quick(folder.file()));
  const auto refused = caught<msgbus::error>(inspecting(folder.file(), "other_"));
  CHECK(refused.code() == errc::bad_arguments);
  CHECK_THAT(refused.what(), contains("no tables of msgbus with the prefix 'other_'"));
  CHECK(code_of(inspecting(folder.file(), "a b")) == errc::bad_arguments);
  owner.file().execute("update msgbus_meta set number = 99 where name = 'version'");
  CHECK(code_of(inspecting(folder.file())) == errc::unsupported);
}

TEST_CASE("an open database gives the same figures as an inspector", "[R3]") {
  const temporary_folder folder;
  {
    outbox owner(quick(folder.file()));
    fill(owner);
  }
  loop in;
  const auto db = open(in, quick(folder.file()));
  const file_status status = in.run(db->status());
  CHECK(status.waiting.size() == 2);
  CHECK(status.dead_letters == 1);
  std::ostringstream text;
  text << status << status.waiting[0] << inspector(folder.file()).messages().at(0);
  CHECK_THAT(text.str(), contains(".waiting = 4"));
}

}  // namespace inspect_test
