#include "nats/message_format.hpp"

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace message_format_test {

using msgbus::errc;
using msgbus::headers;
using msgbus::nats::from_base64;
using msgbus::nats::joined_headers;
using msgbus::nats::read_header_block;
using msgbus::nats::read_message;
using msgbus::nats::read_time;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;
using nlohmann::json;
using namespace std::chrono_literals;

TEST_CASE("base64 is read as RFC 4648 writes it") {
  // The test vectors of the RFC.
  CHECK(from_base64("") == "");
  CHECK(from_base64("Zg==") == "f");
  CHECK(from_base64("Zm8=") == "fo");
  CHECK(from_base64("Zm9v") == "foo");
  CHECK(from_base64("Zm9vYg==") == "foob");
  CHECK(from_base64("Zm9vYmE=") == "fooba");
  CHECK(from_base64("Zm9vYmFy") == "foobar");
  CHECK(from_base64("AP+/") == std::string("\x00\xff\xbf", 3));
}

TEST_CASE("a text that is no base64 is none") {
  for (const std::string_view wrong :
       {"Z", "Zg", "Zg=", "Zm9", "Zg==Zg==", "Z===", "====", "=", "Zm9v\n", "Zm-_", "Z m="}) {
    INFO(wrong);
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}

TEST_CASE("a time is read as a server writes it") {
  const auto at = [](std::chrono::nanoseconds since) {
    return std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        std::chrono::sys_time<std::chrono::nanoseconds>(since));
  };
  CHECK(read_time("1970-01-01T00:00:00Z") == at(0s));
  CHECK(read_time("2026-01-31T08:30:00Z") == at(1769848200s));
  CHECK(read_time("2026-01-31T08:30:00.5Z") == at(1769848200s + 500ms));
  CHECK(read_time("2026-01-31T08:30:00.123456789Z") == at(1769848200s + 123456789ns));
  CHECK(read_time("2024-02-29T23:59:59Z") == at(1709251199s));
  for (const std::string_view wrong :
       {"", "2026-01-31", "2026-01-31 08:30:00Z", "2026-13-31T08:30:00Z", "2026-02-30T08:30:00Z",
        "2026-01-31T24:30:00Z", "2026-01-31T08:60:00Z", "2026-01-31T08:30:00",
        "2026-01-31T08:30:00+01:00", "2026-01-31T08:30:00.1234567890Z", "-026-01-31T08:30:00Z"}) {
    INFO(wrong);
    CHECK_FALSE(read_time(wrong).has_value());
  }
}

TEST_CASE("a message of a stream is read from JetStream's answer") {
  const json answer = {
      {"type", "io.nats.jetstream.api.v1.stream_msg_get_response"},
      {"message",
       {{"subject", "dead.orders"},
        {"seq", 17U},
        {"hdrs", "TkFUUy8xLjANCkEtVGVuYW50OiBub3J0aA0KDQo="},  // NATS/1.0, A-Tenant: north
        {"data", "e30="},
        {"time", "2026-01-31T08:30:00.5Z"}}}};
  const auto got = read_message(answer, "stream 'DEAD'");
  CHECK(got.message.topic == "dead.orders");
  CHECK(got.sequence == 17);
  CHECK(got.message.payload == "{}");
  CHECK(got.message.headers == msgbus::headers{{"A-Tenant", "north"}});
  CHECK(got.at == read_time("2026-01-31T08:30:00.5Z"));
  const json bare = {{"message", {{"subject", "a"}, {"seq", 1U}}}};
  const auto without = read_message(bare, "stream 'DEAD'");
  CHECK(without.message.payload.empty());
  CHECK(without.message.headers.empty());
}

TEST_CASE("a reply that is no message is an error with the defect") {
  const auto text = [](const json& answer) {
    return text_of([&] { (void)read_message(answer, "stream 'DEAD'"); });
  };
  CHECK_THAT(text(json::object()), contains("stream 'DEAD'") && contains("no message"));
  CHECK_THAT(text({{"message", "x"}}), contains("no message"));
  CHECK_THAT(text({{"message", {{"seq", 1U}}}}), contains("'subject'"));
  CHECK_THAT(text({{"message", {{"subject", "a"}, {"seq", "1"}}}}), contains("'seq'"));
  CHECK_THAT(text({{"message", {{"subject", "a"}, {"seq", 1U}, {"data", "?"}}}}),
             contains("'data' is not base64"));
  CHECK_THAT(text({{"message", {{"subject", "a"}, {"seq", 1U}, {"hdrs", 7}}}}),
             contains("'hdrs' is not base64"));
  CHECK(code_of([] { (void)read_message(json::object(), ""); }) == errc::transport_failed);
}

TEST_CASE("requests for messages have the fields that the server needs") {
  CHECK(msgbus::nats::message_request(7) == json{{"seq", 7}});
  CHECK(msgbus::nats::next_message_request(7) == json{{"seq", 7}, {"next_by_subj", ">"}});
  CHECK(msgbus::nats::next_message_request(0) == json{{"seq", 1U}, {"next_by_subj", ">"}});
  CHECK(msgbus::nats::erase_request(7) == json{{"seq", 7}, {"no_erase", true}});
}

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

}  // namespace message_format_test
