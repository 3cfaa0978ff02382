// The program msgbus-durable, as an operator calls it.

#include "durable/outbox.hpp"
#include "support/catch.hpp"
#include "support/durable_files.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/wait.h>

#ifdef MSGBUS_DURABLE_PROGRAM

namespace program_test {

using msgbus::durable::detail::message_row;
using msgbus::durable::detail::outbox;
using msgbus_test::contains;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using nlohmann::json;

namespace {

struct ended {
  int status = 0;
  std::string text;  // of both outputs
};

ended run(const std::string& arguments) {
  const std::string line = "'" MSGBUS_DURABLE_PROGRAM "' " + arguments + " 2>&1";
  std::FILE* const out = ::popen(line.c_str(), "r");
  if (out == nullptr) throw std::runtime_error("popen failed");
  ended made;
  std::array<char, 4096> some{};
  while (const std::size_t size = std::fread(some.data(), 1, some.size(), out)) {
    made.text.append(some.data(), size);
  }
  made.status = WEXITSTATUS(::pclose(out));
  return made;
}

/// A file with one message that waits, and one dead letter whose reason has a line break.
struct closed_shop {
  temporary_folder folder;
  std::string file = folder.file();

  closed_shop() {
    outbox owner(quick(file));
    message_row first{.id = "a", .destination = "billing", .type = "placed", .body = "\xff"};
    message_row second{.id = "b", .destination = "billing", .type = "placed", .body = "{}"};
    owner.begin();
    owner.insert(first);
    owner.insert(second);
    owner.commit();
    owner.move_to_dead_letters(second.seq, "no ink\nleft", 3, 9000);
  }
};

}  // namespace

TEST_CASE("msgbus-durable prints waiting messages and dead letters, one a line", "[R3]") {
  const closed_shop shop;
  const ended status = run(shop.file + " status");
  CHECK(status.status == 0);
  CHECK_THAT(status.text, contains("dead_letters=1"));
  CHECK_THAT(status.text, contains("count=1 destination=billing"));

  const json waits = json::parse(run(shop.file + " outbox --json").text);
  CHECK(waits["message_id"] == "a");
  CHECK(waits["body"] == "\xef\xbf\xbd");
  const ended dead = run(shop.file + " dead");
  CHECK(dead.text.find('\n') == dead.text.size() - 1);
  CHECK_THAT(dead.text, contains(R"(reason="no ink\nleft")"));
  CHECK_THAT(dead.text, contains("failed_at=1970-01-01T00:00:09Z"));
}

TEST_CASE("msgbus-durable replays and discards dead letters of a closed file", "[R3]") {
  const closed_shop shop;
  const ended replayed = run(shop.file + " replay 1");
  CHECK(replayed.status == 0);
  CHECK(replayed.text == "dead letter 1: waits for its destination again\n");
  CHECK(run(shop.file + " dead").text.empty());
  CHECK_THAT(run(shop.file + " status").text, contains("count=2"));
  const ended again = run(shop.file + " discard 1");
  CHECK(again.status == 1);
  CHECK_THAT(again.text, contains("has no dead letter 1"));
}

TEST_CASE("msgbus-durable changes nothing while a program has the file open", "[R4]") {
  const closed_shop shop;
  const outbox owner(quick(shop.file));
  CHECK(run(shop.file + " dead").status == 0);
  const ended refused = run(shop.file + " discard 1");
  CHECK(refused.status == 1);
  CHECK_THAT(refused.text, contains("owns the file"));
  CHECK_FALSE(run(shop.file + " dead").text.empty());
}

TEST_CASE("msgbus-durable refuses files that are not there, and makes none", "[R4]") {
  const temporary_folder folder;
  const std::string file = folder.file("none.db");
  for (const char* const verb : {" status", " outbox", " dead", " replay 1", " discard 1"}) {
    const ended refused = run(file + verb);
    CHECK(refused.status == 1);
    CHECK_THAT(refused.text, contains("none.db"));
  }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(run("").status != 0);
  CHECK(run(file).status != 0);
  CHECK(run(file + " replay one").status != 0);
}

}  // namespace program_test

#endif
