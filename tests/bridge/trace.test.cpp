#include "bridge/standards.hpp"

#include "support/catch.hpp"

#include <string>

namespace trace_test {

using msgbus::bridging::child_trace;
using msgbus::bridging::is_trace_state;

namespace {

const std::string trace = "12345678901234567890123456789012";
const std::string span = "1234567890123456";
const std::string ids = trace + "-" + span;

}  // namespace

// The cases are those of the W3C's own test suite (github.com/w3c/trace-context, test/test.py).
TEST_CASE("a valid traceparent has children of the same trace, in this version", "[B7]") {
  struct accepted {
    std::string parent;
    std::string flags;
  };
  const accepted all[] = {
      {"00-" + ids + "-01", "01"},
      {"00-" + ids + "-00", "00"},
      {"00-" + ids + "-02", "00"},  // a flag that this version does not know
      {"00-" + ids + "-ff", "01"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "01"},
      {"cc-" + ids + "-01", "01"},  // a later version
      {"cc-" + ids + "-01-what-the-future-will-be-like", "01"},
      {"01-" + ids + "-00-", "00"},
      {" 00-" + ids + "-01", "01"},  // blanks around a header's value are not part of it
      {"\t00-" + ids + "-01", "01"},
      {"00-" + ids + "-01 ", "01"},
      {"00-" + ids + "-01\t", "01"},
      {"\t 00-" + ids + "-01 \t", "01"},
  };
  for (const accepted& each : all) {
    INFO(each.parent);
    const std::string child = child_trace(each.parent);
    REQUIRE(child.size() == 55);
    const std::size_t begins = each.parent.find('-') + 1;
    CHECK(child.substr(0, 3) == "00-");
    CHECK(child.substr(3, 33) == each.parent.substr(begins, 33));
    CHECK(child.substr(36, 16) != each.parent.substr(begins + 33, 16));
    CHECK(child.substr(36, 16) != std::string(16, '0'));
    CHECK(child.substr(52) == "-" + each.flags);
    CHECK_FALSE(child_trace(child).empty());
  }
}

TEST_CASE("an invalid traceparent has no children", "[B7]") {
  const std::string all[] = {
      "",
      "00",
      "00-" + ids,
      "00-" + ids + "-",
      "00-" + ids + "-01.",
      "00-" + ids + "-01-what-the-future-will-be-like",
      "00-" + ids + "-01-",
      "00-" + ids + "-01" + "00-" + ids + "-01",
      "cc-" + ids + "-01.what-the-future-will-not-be-like",
      "cc-" + ids + "-011",
      "ff-" + ids + "-01",
      "FF-" + ids + "-01",
      ".0-" + ids + "-01",
      "0.-" + ids + "-01",
      "000-" + ids + "-01",
      "0000-" + ids + "-01",
      "0-" + ids + "-01",
      "00-00000000000000000000000000000000-" + span + "-01",
      "00-.2345678901234567890123456789012-" + span + "-01",
      "00-1234567890123456789012345678901.-" + span + "-01",
      "00-1234567890123456789012345678901A-" + span + "-01",
      "00-" + trace + "3-" + span + "-01",
      "00-" + trace.substr(1) + "-" + span + "-01",
      "00-" + trace + "-0000000000000000-01",
      "00-" + trace + "-.234567890123456-01",
      "00-" + trace + "-123456789012345.-01",
      "00-" + trace + "-123456789012345B-01",
      "00-" + trace + "-" + span + "7-01",
      "00-" + trace + "-" + span.substr(1) + "-01",
      "00-" + ids + "-.0",
      "00-" + ids + "-0.",
      "00-" + ids + "-0A",
      "00-" + ids + "-001",
      "00-" + ids + "-1",
      "00_" + ids + "-01",
      "00-" + trace + "_" + span + "-01",
      "00-" + ids + "_01",
      "00-" + ids + "-01,00-" + ids + "-01",
      "4bf92f3577b34da6a3ce929d0e0e4736",
  };
  for (const std::string& each : all) {
    INFO(each);
    CHECK(child_trace(each).empty());
  }
}

TEST_CASE("a tracestate is a list of members with different keys", "[B7]") {
  const std::string long_key = "a" + std::string(255, 'z');
  const std::string tenant = "t" + std::string(240, 'z') + "@v" + std::string(13, 'z');
  std::string many = "a0=1";
  for (int i = 1; i < 32; ++i) many += ",a" + std::to_string(i) + "=1";
  for (const std::string& each :
       {std::string("foo=1"), std::string("foo=1,bar=2"), std::string("foo=1 \t , \t bar=2"),
        std::string("foo=1,"), std::string("foo=1,,bar=2"), std::string("foo@bar=1"),
        std::string("0tenant@bar=1"), std::string("a*/_-9=!~ x"), std::string("foo=1;bar"),
        long_key + "=1", tenant + "=1", "foo=" + std::string(256, 'x'), many}) {
    INFO(each);
    CHECK(is_trace_state(each));
  }
  for (const std::string& each : {std::string(),
                                  std::string(","),
                                  std::string("foo"),
                                  std::string("foo="),
                                  std::string("=1"),
                                  std::string("foo =1"),
                                  std::string("FOO=1"),
                                  std::string("foo.bar=1"),
                                  std::string("foo@=1"),
                                  std::string("@foo=1"),
                                  std::string("foo@@bar=1"),
                                  std::string("foo@bar@baz=1"),
                                  std::string("0foo=1"),
                                  std::string("foo@0bar=1"),
                                  std::string("foo=bar=baz"),
                                  std::string("foo=1,foo=2"),
                                  std::string("foo=\xc3\xa4"),
                                  long_key + "z=1",
                                  "z" + tenant + "=1",
                                  tenant + "z=1",
                                  "foo=" + std::string(257, 'x'),
                                  many + ",a32=1"}) {
    INFO(each);
    CHECK_FALSE(is_trace_state(each));
  }
}

}  // namespace trace_test
