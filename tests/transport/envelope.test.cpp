#include <msgbus/transport/envelope.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <sstream>
#include <string>

namespace envelope_test {

using msgbus::envelope;
using msgbus::errc;
using msgbus::headers;
using msgbus::transport::check_envelope;
using msgbus::transport::check_storable;
using msgbus::transport::is_header_name;
using msgbus::transport::is_header_value;
using msgbus::transport::make_sendable;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

TEST_CASE("the name of a header is a token that no server reserves") {
  for (const char* const each : {"A", "a-tenant", "Nats-Msg-Id", "x_1.2", "!#$%&'*+-.^_`|~"}) {
    INFO(each);
    CHECK(is_header_name(each));
  }
  for (const char* const each : {"", " ", "a b", "a:", ":", "a\tb", "a\nb", "a(b)", "a/b", "a@b",
                                 "\"a\"", "k\xc3\xa4se", "a\x7f", "Status"}) {
    INFO(each);
    CHECK_FALSE(is_header_name(each));
  }
  CHECK_FALSE(is_header_name(std::string("a\0b", 3)));
}

TEST_CASE(
    "the value of a header is not empty, and has no blanks at its ends and no control characters") {
  for (const char* const each : {"a", "a b", "a: b", "k\xc3\xa4se", "\xff", "\"a\"", ":", ","}) {
    INFO(each);
    CHECK(is_header_value(each));
  }
  for (const char* const each :
       {"", " ", "  ", " a", "a ", "\t", "a\t", "a\tb", "a\nb", "a\r\nB: c", "a\r", "\x01",
        "a\x1f"
        "b",
        "a\x7f"}) {
    INFO(each);
    CHECK_FALSE(is_header_value(each));
  }
  CHECK_FALSE(is_header_value(std::string("a\0b", 3)));
}

TEST_CASE("a control character is found wherever it is in a value, and nothing else is one") {
  for (std::size_t size = 3; size < 20; ++size) {
    for (std::size_t place = 1; place + 1 < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string value(size, 'v');
        value[place] = static_cast<char>(byte);
        if (is_header_value(value) != (byte >= ' ' && byte != 0x7f))
          FAIL_CHECK(byte << ' ' << place);
      }
    }
  }
  CHECK(is_header_value("\x80\xff\xa0\xc3\x20\x21\x7e\x80\xff"));
}

TEST_CASE("an envelope that cannot be sent is refused, and the error names the header") {
  const auto with = [](std::string name, std::string value) {
    return envelope{.topic = "a", .headers = {{std::move(name), std::move(value)}}};
  };
  // given: a valid envelope, and others with one invalid header
  CHECK_NOTHROW(check_envelope(with("A-Tenant", "shop 1")));
  const auto refused = [&](std::string name, std::string value) {
    const envelope made = with(std::move(name), std::move(value));
    CHECK(code_of([&] { check_envelope(made); }) == errc::bad_arguments);
    return text_of([&] { check_envelope(made); });
  };
  // then: each is refused, and the error names the header and its fault
  CHECK_THAT(refused("A-Tenant", ""), contains("'A-Tenant'") && contains("its value is empty"));
  CHECK_THAT(refused("A-Tenant", " secret"), contains("'A-Tenant'") && contains("with a blank"));
  // then: the error does not show the value
  CHECK_THAT(refused("A-Tenant", " secret"), !contains("secret"));
  CHECK_THAT(refused("A-Tenant", "a\nb"), contains("'A-Tenant'") && contains("control character"));
  CHECK_THAT(refused("A Tenant", "a"), contains("'A Tenant'") && contains("not a token"));
  CHECK_THAT(refused("Status", "503"), contains("'Status'") && contains("the server's own"));
  CHECK(code_of([] { check_envelope({.topic = "a b"}); }) == errc::invalid_topic);
  CHECK(code_of([] { check_envelope({.topic = "a", .reply_to = "b.*"}); }) == errc::invalid_topic);
}

TEST_CASE("a stored message has a valid message id") {
  CHECK_NOTHROW(check_storable({.topic = "a", .headers = {{"Nats-Msg-Id", "id 1"}}}));
  CHECK(code_of([] { check_storable({.topic = "a"}); }) == errc::bad_arguments);
  for (const char* const each : {"", " ", " id", "id ", "id\n", "id\x01"}) {
    INFO(each);
    const envelope made{.topic = "a", .headers = {{"Nats-Msg-Id", each}}};
    CHECK(code_of([&] { check_storable(made); }) == errc::bad_arguments);
    CHECK_THAT(text_of([&] { check_storable(made); }), contains("'Nats-Msg-Id'"));
  }
}

TEST_CASE("invalid headers of other programs are made valid") {
  headers all{{"A", "kept"},       {"B", ""},         {"C", " \t "},        {"D", " two\r\nlines "},
              {"E f", "bad name"}, {"Status", "503"}, {"k\xc3\xa4se", "x"}, {"G", "k\xc3\xa4se "}};
  make_sendable(all);
  CHECK(all == headers{{"A", "kept"}, {"D", "two  lines"}, {"G", "k\xc3\xa4se"}});
  CHECK_NOTHROW(check_envelope({.topic = "a", .headers = all}));
}

TEST_CASE("an envelope is printed with its members") {
  msgbus::envelope message{.topic = "orders"};
  message.headers.add("A", "1");
  message.payload = std::string("\x01\xff", 2);
  std::ostringstream out;
  out << message << ' ' << msgbus::header_form::cloudevents;
  CHECK(out.str() == R"(envelope{.topic = "orders", .headers = headers{{"A", "1"}}, )"
                     R"(.payload = "\x01\xff", .reply_to = ""} cloudevents)");
}

}  // namespace envelope_test
