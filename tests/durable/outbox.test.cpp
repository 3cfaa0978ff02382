// The library's rows.

#include "durable/outbox.hpp"

#include "support/catch.hpp"
#include "support/durable_files.hpp"

#include <SQLiteCpp/Column.h>

#include <cstddef>
#include <string>
#include <vector>

namespace outbox_test {

using msgbus::durable::detail::message_row;
using msgbus::durable::detail::outbox;
using msgbus_test::quick;
using msgbus_test::temporary_folder;

namespace {

void add(outbox& to, message_row& row) {
  to.begin();
  to.insert(row);
  to.commit();
}

std::string text_of(const message_row& row) {
  const std::string due = row.due ? std::to_string(*row.due) : "";
  return std::to_string(row.seq) + " " + row.id + " " + row.destination + " " + row.type + " " +
         row.headers + " " + row.body + " " + due;
}

/// All messages in the file, in their order.
std::vector<std::string> texts(outbox& in) {
  SQLite::Statement& all = in.file().prepared(
      "select seq || ' ' || id || ' ' || destination || ' ' || type || ' ' || headers || ' ' ||"
      " cast(body as text) || ' ' || coalesce(due_at, '') from msgbus_outbox order by seq");
  std::vector<std::string> found;
  while (in.file().next_row(all)) found.push_back(all.getColumn(0).getString());
  return found;
}

/// In small steps.
void clean_up(outbox& in, std::int64_t now) {
  while (in.clean_up(now, 1, 1)) {
  }
}

/// Those of handled messages, with their consumers.
std::string ids(outbox& in) {
  SQLite::Statement& all = in.file().prepared(
      "select coalesce(group_concat(id || consumer, ''), '') from (select id, consumer from"
      " msgbus_inbox order by id, consumer)");
  std::string text;
  while (in.file().next_row(all)) text = all.getColumn(0).getString();
  return text;
}

}  // namespace

TEST_CASE("ids of handled messages are forgotten when their time has passed and not before",
          "[R2]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  in.file().execute(
      "insert into msgbus_inbox (id, consumer, received_at, handled_at, keep_until) values ('a', "
      "'x', 1, 1, 10), ('b', 'x', 1, 1, 20), ('b', 'y', 1, 1, 20), ('c', 'x', 1, 1, 30)");
  clean_up(in, 9);
  CHECK(ids(in) == "axbxbycx");
  clean_up(in, 20);
  CHECK(ids(in) == "cx");
  clean_up(in, 30);
  CHECK(ids(in).empty());
}

TEST_CASE("the ids of messages that still wait are kept among many", "[R2]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  for (const char* const id : {"b", "c", "e"}) {
    message_row row{.id = id, .destination = "d", .type = "t"};
    add(in, row);
    if (row.id == "c") in.move_to_dead_letters(row.seq, "no ink", 1, 10);
  }
  in.file().execute(
      "insert into msgbus_inbox (id, consumer, received_at, keep_until) values ('a', 'x', 1, 5),"
      " ('b', 'x', 1, 5), ('c', 'x', 1, 6), ('d', 'x', 1, 7), ('e', 'y', 1, 7), ('f', 'x', 1, 8)");
  clean_up(in, 10);
  CHECK(ids(in) == "bxcxey");
}

TEST_CASE("a load reads a part of a long file and goes on from there", "[R3]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  for (const char* const to : {"a", "b", "b", "b", "a", "b", "a"}) {
    message_row row{.id = "1", .destination = to, .type = "t"};
    add(in, row);
  }
  const auto first = in.load("a", {"t"}, 0, 10, 3);
  REQUIRE(first.rows.size() == 1);
  CHECK_FALSE(first.is_last);
  CHECK(first.up_to == 3);
  const auto second = in.load("a", {"t"}, first.up_to, 1, 3);
  REQUIRE(second.rows.size() == 1);
  CHECK_FALSE(second.is_last);
  CHECK(second.up_to == 5);
  const auto third = in.load("a", {"t"}, second.up_to, 10, 3);
  CHECK(third.rows.size() == 1);
  CHECK(third.is_last);
  CHECK(in.load("a", {"t"}, third.up_to, 10, 3).is_last);
}

TEST_CASE("messages that are committed together are written as they are, alike or not", "[R1]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  using change = void (*)(message_row&);
  const std::vector<change> changes{
      [](message_row&) {}, [](message_row& row) { row.destination = "other"; },
      [](message_row& row) { row.type = "another"; },
      [](message_row& row) { row.headers = "b: 2\n"; }, [](message_row& row) { row.due = 7; }};
  std::vector<std::string> expected;
  for (const std::size_t many : {1U, 2U, 15U, 16U, 17U, 40U}) {
    for (const change make : changes) {
      for (const std::size_t changed : {std::size_t{0}, many / 2, many - 1}) {
        std::vector<message_row> rows;
        for (std::size_t i = 0; i < many; ++i) {
          rows.push_back({.id = "i" + std::to_string(i),
                          .destination = "d" + std::to_string(many),
                          .type = "t",
                          .headers = "a: 1\n",
                          .body = "body " + std::to_string(i)});
        }
        make(rows[changed]);
        in.begin();
        for (message_row& row : rows) {
          in.insert(row);
          in.write_some();
        }
        in.commit();
        for (const message_row& row : rows) expected.push_back(text_of(row));
      }
    }
  }
  CHECK(texts(in) == expected);
}

TEST_CASE("messages that are due get their places in the order of their times", "[R3]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  for (const std::int64_t due : {30, 10, 20}) {
    message_row row{.id = std::to_string(due), .destination = "d", .type = "t", .due = due};
    add(in, row);
  }
  message_row now{.id = "now", .destination = "d", .type = "t"};
  add(in, now);
  CHECK(in.next_due() == 10);
  CHECK(in.load("d", {"t"}, 0, 10).rows.size() == 1);
  const auto released = in.release_due(20, 10);
  REQUIRE(released.size() == 2);
  CHECK(released[0].id == "10");
  CHECK(released[1].id == "20");
  CHECK(released[0].seq > now.seq);
  CHECK(in.next_due() == 30);
  const auto all = in.load("d", {"t"}, 0, 10).rows;
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == "now");
  CHECK(all[2].id == "20");
}

TEST_CASE("a schedule that is committed together with a release is not forgotten", "[R1]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  message_row early{.id = "early", .destination = "d", .type = "t", .due = 5};
  add(in, early);
  message_row late{.id = "late", .destination = "d", .type = "t", .due = 100};
  in.begin();
  in.insert(late);
  CHECK(in.release_due(10, 8).size() == 1);
  in.commit();
  CHECK(in.next_due() == 100);
}

TEST_CASE("rows of an earlier start are known as such", "[R2]") {
  const temporary_folder folder;
  {
    outbox in(quick(folder.file()));
    message_row row{.id = "old", .destination = "d", .type = "t"};
    add(in, row);
  }
  outbox in(quick(folder.file()));
  message_row row{.id = "new", .destination = "d", .type = "t"};
  add(in, row);
  const auto all = in.load("d", {"t"}, 0, 10).rows;
  REQUIRE(all.size() == 2);
  CHECK(all[0].is_taken_over);
  CHECK_FALSE(all[1].is_taken_over);
  CHECK(all[1].seq > all[0].seq);
}

}  // namespace outbox_test
