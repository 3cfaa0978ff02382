#include "bridge/standards.hpp"

#include <msgbus/async.hpp>
#include <msgbus/bridge.hpp>

#include "support/bridges.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace cloud_event_test {

using msgbus::headers;
using namespace msgbus::bridging;

// The texts are those of the binding's specification, and of the tests of the Java and the Python
// SDK.

TEST_CASE("an attribute is percent-encoded as the NATS binding of CloudEvents has it") {
  CHECK(to_attribute("Euro \u20ac \U0001F600") == "Euro%20%E2%82%AC%20%F0%9F%98%80");
  CHECK(to_attribute("a\"b%c~!") == "a%22b%25c~!");
  CHECK(to_attribute("/mycontext/subcontext") == "/mycontext/subcontext");
  CHECK(to_attribute("\x7f\x01") == "%7F%01");
}

TEST_CASE("an attribute is read whatever was encoded of it, quoted or not") {
  CHECK(from_attribute("Euro%20%E2%82%AC%20%F0%9F%98%80") == "Euro \u20ac \U0001F600");
  CHECK(from_attribute("%e2%82%ac") == "\u20ac");
  CHECK(from_attribute("%41bc") == "Abc");
  CHECK(from_attribute("\"Euro \\\"\u20ac\\\"\"") == "Euro \"\u20ac\"");
  CHECK(from_attribute("100%") == "100%");
  CHECK(from_attribute("%4") == "%4");
  CHECK(from_attribute("%zz") == "%zz");
  CHECK(from_attribute("") == "");
}

TEST_CASE("an attribute that is not UTF-8 is no text, and stays as it is") {
  CHECK(from_attribute("%C0%A0") == "%C0%A0");
  CHECK(from_attribute("a%FFb") == "a%FFb");
}

TEST_CASE("a time is written as RFC 3339 has it") {
  using namespace std::chrono;
  const auto day = sys_days(year(2018) / April / 5);
  CHECK(timestamp(day + 3h + 56min + 24s + 250ms) == "2018-04-05T03:56:24.250Z");
  CHECK(timestamp(sys_days(year(1970) / January / 1)) == "1970-01-01T00:00:00.000Z");
}

TEST_CASE("headers of other implementations are read", "[B7]") {
  SECTION("the example of the binding") {
    headers all{{"ce-specversion", "1.0"},
                {"ce-type", "com.example.someevent"},
                {"ce-time", "2018-04-05T03:56:24Z"},
                {"ce-id", "1234-1234-1234"},
                {"ce-source", "/mycontext/subcontext"},
                {"ce-datacontenttype", "application/json"}};
    name_attributes(all);
    CHECK(all.at("Nats-Msg-Id") == "1234-1234-1234");
    CHECK(all.at("Msgbus-Type") == "com.example.someevent");
    CHECK(all.at("Content-Type") == "application/json");
  }
  SECTION("that of the Java SDK") {
    headers all{{"content-type", "application/json"},
                {"ce-id", "event-id"},
                {"ce-source", "http://localhost:8080/my/frog-died"},
                {"ce-specversion", "1.0"},
                {"ce-time", "2018-04-26T14:48:09+02:00"},
                {"ce-type", "Euro%20%E2%82%AC%20%F0%9F%98%80"},
                {"ce-sausage", "cumberlands"}};
    name_attributes(all);
    CHECK(all.at("Nats-Msg-Id") == "event-id");
    CHECK(all.at("Msgbus-Type") == "Euro \u20ac \U0001F600");
    CHECK(all.at("Content-Type") == "application/json");
    CHECK(all.at("ce-sausage") == "cumberlands");
  }
  SECTION("that of the Python SDK, of an older version") {
    headers all{{"ce-specversion", "0.2"},
                {"Ce-Type", "word.found.exclamation"},
                {"CE-ID", "16fb5f0b-211e-1102-3dfe-ea6e2806f124"},
                {"ce-source", "pytest"},
                {"Content-Type", "application/json"}};
    name_attributes(all);
    CHECK(all.at("Nats-Msg-Id") == "16fb5f0b-211e-1102-3dfe-ea6e2806f124");
    CHECK(all.at("Msgbus-Type") == "word.found.exclamation");
    CHECK(all.count("Content-Type") == 1);
  }
  SECTION("but for those that are no CloudEvents") {
    headers all{{"ce-id", "1"}, {"ce-type", "a"}};
    name_attributes(all);
    CHECK(all.size() == 2);
  }
}

}  // namespace cloud_event_test
