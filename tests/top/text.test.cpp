#include "top/text.hpp"

#include "support/catch.hpp"

#include <string>

namespace text_test {

namespace top = msgbus::top;

TEST_CASE("numbers and times are short") {
  CHECK(top::count(0) == "0");
  CHECK(top::count(99'999) == "99999");
  CHECK(top::count(1'234'567) == "1235k");
  CHECK(top::count(23'400'000) == "23M");
  CHECK(top::rate(0) == "0");
  CHECK(top::rate(0.01) == "<0.1");
  CHECK(top::rate(9.94) == "9.9");
  CHECK(top::rate(9.96) == "10");
  CHECK(top::rate(1234.5) == "1235");
  CHECK(top::duration(0) == "0");
  CHECK(top::duration(3e-7) == "<1us");
  CHECK(top::duration(0.0000042) == "4.2us");
  CHECK(top::duration(0.0123) == "12ms");
  CHECK(top::duration(59.4) == "59s");
  CHECK(top::duration(150) == "2min");
  CHECK(top::duration(7200) == "2.0h");
  CHECK(top::duration(1'000'000) == "11d");
}

TEST_CASE("only printable characters of valid UTF-8 reach a terminal") {
  const std::string sign = "\xef\xbf\xbd";
  CHECK(top::printable("plain \u00fcml\u00e4ut \u2026") == "plain \u00fcml\u00e4ut \u2026");
  CHECK(top::printable("a\x1b]0;title\x07") == "a" + sign + "]0;title" + sign);
  CHECK(top::printable("\xc2\x9b") == sign);  // a control character of two bytes
  CHECK(top::printable("\u202e") == sign);    // turns the direction
  CHECK(top::printable("\xff\xc0\xaf") == sign + sign + sign);
  CHECK(top::printable("\xed\xa0\x80") == sign + sign + sign);  // half of a pair
  CHECK(top::printable("\xe2\x82") == sign + sign);             // cut
}

TEST_CASE("a text is cut with an ellipsis or filled") {
  CHECK(top::fitted("abc", 5) == "abc  ");
  CHECK(top::fitted("abc", 5, true) == "  abc");
  CHECK(top::fitted("abcdef", 4) == "abc\u2026");
  CHECK(top::fitted("\u00e4\u00f6\u00fc\u00df", 3) == "\u00e4\u00f6\u2026");
  CHECK(top::fitted("abc", 0).empty());
}

}  // namespace text_test
