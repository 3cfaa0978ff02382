#include "nats/header_block.hpp"

#include "support/catch.hpp"

#include <string>
#include <string_view>

namespace header_block_test {

using msgbus::headers;
using msgbus::nats::joined_headers;
using msgbus::nats::read_header_block;

namespace {

/// As nats.c writes one header.
std::string written(const headers& all) {
  const joined_headers joined(all);
  return std::string("NATS/1.0\r\n") + joined.name() + ": " + joined.value() + "\r\n\r\n";
}

headers read(std::string_view block) {
  headers all;
  REQUIRE(read_header_block(block, all));
  return all;
}

}  // namespace

TEST_CASE("one header is itself, and several are lines in their order") {
  CHECK(written({{"a", "1"}}) == "NATS/1.0\r\na: 1\r\n\r\n");
  CHECK(written({{"b", "2"}, {"a", "1"}, {"b", "3"}}) ==
        "NATS/1.0\r\nb: 2\r\na: 1\r\nb: 3\r\n\r\n");
}

TEST_CASE("headers of any length are read as they were written") {
  for (const std::size_t size : {1U, 200U, 450U, 505U, 506U, 507U, 5000U}) {
    headers all;
    all.add("first", std::string(size, 'x'));
    all.add(std::string(size, 'n'), "value: with a colon");
    CHECK(read(written(all)) == all);
  }
}

TEST_CASE("values lose the blanks at their ends, and may be empty") {
  headers wanted;
  wanted.add("a", "1 2");
  wanted.add("b", "");
  wanted.add("c", "");
  wanted.add("d", "4");
  CHECK(read("NATS/1.0\r\na:  1 2\t\r\nb:\r\nc:   \r\nd:4\r\n\r\n") == wanted);
  CHECK(read("NATS/1.0\r\n\r\n").empty());
}

TEST_CASE(
    "a block with a status, continued lines or faults is not read, and there are no headers") {
  for (const std::string_view block :
       {"", "NATS/1.0", "NATS/1.0\r\n", "NATS/1.0 503\r\n\r\n", "NATS/1.0\r\na: 1\r\n",
        "NATS/1.0\r\na: 1\r\n 2\r\n\r\n", "NATS/1.0\r\na: 1\r\nno colon\r\n\r\n",
        "NATS/1.0\r\na: 1\n\r\n", "NATS/1.0\r\n: 1\r\n\r\n", "HTTP/1.0\r\na: 1\r\n\r\n",
        "NATS/1.0\r\na: 1\r\n\r\nmore"}) {
    headers all{{"before", "it"}};
    CHECK_FALSE(read_header_block(block, all));
    CHECK(all.empty());
  }
  headers none;
  CHECK_FALSE(read_header_block(std::string_view("NATS/1.0\r\na\0b: 1\r\n\r\n", 20), none));
  CHECK(none.empty());
}

}  // namespace header_block_test
