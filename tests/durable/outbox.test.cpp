// The library's rows.

#include "durable/outbox.hpp"

#include "support/catch.hpp"
#include "support/durable_files.hpp"

namespace outbox_test {

using msgbus::durable::detail::message_row;
using msgbus::durable::detail::outbox;
using msgbus_test::quick;
using msgbus_test::temporary_folder;

TEST_CASE("ids of handled messages are forgotten when their time has passed and not before",
          "[R2]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  in.file().execute(
      "insert into msgbus_inbox (id, consumer, received_at, handled_at, keep_until) values ('a', "
      "'x', 1, 1, 10), ('b', 'x', 1, 1, 20),"
      " ('c', 'x', 1, 1, 30)");
  CHECK(in.clean_up(9, 10) == 0);
  CHECK(in.clean_up(20, 1) == 1);
  CHECK(in.clean_up(20, 10) == 1);
  CHECK(in.clean_up(20, 10) == 0);
  CHECK(in.clean_up(30, 10) == 1);
}

TEST_CASE("messages that are due get their places in the order of their times", "[R3]") {
  const temporary_folder folder;
  outbox in(quick(folder.file()));
  for (const std::int64_t due : {30, 10, 20}) {
    message_row row{.id = std::to_string(due), .destination = "d", .type = "t", .due = due};
    in.insert(row);
  }
  message_row now{.id = "now", .destination = "d", .type = "t"};
  in.insert(now);
  CHECK(in.next_due() == 10);
  CHECK(in.load("d", {"t"}, 0, 10).size() == 1);
  const auto released = in.release_due(20, 10);
  REQUIRE(released.size() == 2);
  CHECK(released[0].id == "10");
  CHECK(released[1].id == "20");
  CHECK(released[0].seq > now.seq);
  CHECK(in.next_due() == 30);
  const auto all = in.load("d", {"t"}, 0, 10);
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == "now");
  CHECK(all[2].id == "20");
}

TEST_CASE("rows of an earlier start are known as such", "[R2]") {
  const temporary_folder folder;
  {
    outbox in(quick(folder.file()));
    message_row row{.id = "old", .destination = "d", .type = "t"};
    in.insert(row);
  }
  outbox in(quick(folder.file()));
  message_row row{.id = "new", .destination = "d", .type = "t"};
  in.insert(row);
  const auto all = in.load("d", {"t"}, 0, 10);
  REQUIRE(all.size() == 2);
  CHECK(all[0].is_taken_over);
  CHECK_FALSE(all[1].is_taken_over);
  CHECK(all[1].seq > all[0].seq);
}

}  // namespace outbox_test
