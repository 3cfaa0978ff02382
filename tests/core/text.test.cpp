#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/stderr_of.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

namespace text_test {

using msgbus::detail::find_not_utf8;
using msgbus::detail::first_characters;
using msgbus::detail::json_string;
using msgbus::detail::logfmt_value;
using msgbus::detail::one_line;
using msgbus::detail::shortened;
using msgbus::detail::to_utf8;

namespace {

constexpr std::size_t everywhere = std::string_view::npos;
const std::string replaced = "\xef\xbf\xbd";

}  // namespace

TEST_CASE("characters of every length are valid UTF-8") {
  CHECK(find_not_utf8("") == everywhere);
  CHECK(find_not_utf8("tea") == everywhere);
  CHECK(find_not_utf8("\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\xb5") == everywhere);
  CHECK(find_not_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf") == everywhere);
}

TEST_CASE("bytes that RFC 3629 excludes are not UTF-8") {
  for (const char* const each :
       {"\x80", "\xff", "\xc3", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe2\x82",
        "\xe2\x82(", "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf0\x9f\x8d", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80"}) {
    INFO(each);
    CHECK(find_not_utf8(each) == 0);
    CHECK(find_not_utf8(std::string("ab") + each) == 2);
    CHECK(find_not_utf8(to_utf8(each)) == everywhere);
  }
  CHECK(to_utf8("a\xff"
                "b\xe2\x82") == "a" + replaced + "b" + replaced + replaced);
  CHECK(to_utf8("k\xc3\xa4se") == "k\xc3\xa4se");
}

TEST_CASE("a text is cut between two characters, at every limit") {
  const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\xb5z";
  for (std::size_t most = 0; most <= text.size() + 1; ++most) {
    INFO(most);
    const std::string_view cut = first_characters(text, most);
    CHECK(cut.size() <= most);
    CHECK(text.starts_with(cut));
    CHECK(find_not_utf8(cut) == everywhere);
    CHECK(cut.size() + 4 > std::min(most, text.size()));
  }
  CHECK(first_characters(std::string(1023, 'a') + "\xc3\xa4", 1024) == std::string(1023, 'a'));
  CHECK(first_characters(std::string(100, '\x80'), 10).size() == 10);
}

TEST_CASE("a shortened text ends with three dots, and is UTF-8") {
  CHECK(shortened("tea", 3) == "tea");
  CHECK(shortened("teas", 3) == "tea...");
  CHECK(shortened("te\xc3\xa4", 3) == "te...");
  CHECK(shortened("\xff\xff", 3) == replaced + "...");
}

TEST_CASE("a line has no control characters, and no blanks at its ends") {
  CHECK(one_line("a\r\nb\tc\x7f"
                 "d",
                 100) == "a  b c d");
  CHECK(one_line(" \n tea \t", 100) == "tea");
  CHECK(one_line(" \r\n", 100).empty());
  CHECK(one_line(std::string("a\0b", 3), 100) == "a b");
  CHECK(one_line("tea  cups", 5) == "tea");
  CHECK(one_line("\xff", 100) == replaced);
  CHECK(one_line(std::string(5000, '\xff'), 1024).size() == 1023);
}

TEST_CASE("characters that end a line or control a terminal are escaped, and no others") {
  using msgbus::detail::escaped;
  CHECK(escaped("") == "");
  CHECK(escaped("a 'topic' with \\ and \xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\xb5") ==
        "a 'topic' with \\ and \xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\xb5");
  CHECK(escaped("a\r\nPUB x 0\t") == "a\\r\\nPUB x 0\\t");
  CHECK(escaped(std::string_view("\0\x1b[2J\x7f", 6)) == "\\x00\\x1b[2J\\x7f");
  CHECK(escaped("\xc2\x85 \xc2\x9b \xc2\xa0") == "\\u0085 \\u009b \xc2\xa0");
  CHECK(escaped("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa") == "\\u2028\\u2029\xe2\x80\xaa");
  CHECK(escaped("\xff\xc3(\x80") == "\\xff\\xc3(\\x80");
}

TEST_CASE("a JSON string is one, whatever bytes the text holds", "[O3]") {
  CHECK(json_string("a\"b\\c") == R"("a\"b\\c")");
  CHECK(json_string("line\nend\x1b") == R"("line\u000aend\u001b")");
  CHECK(json_string("caf\xc3\xa9") == "\"caf\xc3\xa9\"");
  CHECK(json_string("\xff") == "\"\xef\xbf\xbd\"");
  CHECK(json_string(std::string_view("\0", 1)) == R"("\u0000")");
}

TEST_CASE("a value of a key is a plain word, or in quotes and one line", "[O3]") {
  CHECK(logfmt_value("shop::order<int>") == "shop::order<int>");
  CHECK(logfmt_value("orders.eu.*") == "orders.eu.*");
  CHECK(logfmt_value("") == "\"\"");
  CHECK(logfmt_value("no disk") == "\"no disk\"");
  CHECK(logfmt_value("a=b") == "\"a=b\"");
  CHECK(logfmt_value("two\nlines").find('\n') == std::string::npos);
  CHECK(logfmt_value("say \"no\"") == R"("say \"no\"")");
  CHECK(logfmt_value("a\\n b\n") == R"("a\\n b\n")");
}

}  // namespace text_test

namespace say_test {

using msgbus_test::stderr_of;

TEST_CASE("an error without a caller is printed as one line, for all bytes", "[A8]") {
  const auto failure = std::make_exception_ptr(std::runtime_error("two\nlines"));
  CHECK(stderr_of([&] {
          msgbus::detail::say({"a handler of ", "a\r\nb", " failed: "}, failure);
        }) == "msgbus: a handler of a\\r\\nb failed: two\\nlines\n");
}

TEST_CASE("an exception of a callback is printed as one line that names the callback") {
  const std::string text = stderr_of([] {
    try {
      throw std::runtime_error("no disk");
    } catch (...) {
      msgbus::detail::say_thrown_by("an observer");
    }
  });
  CHECK(text == "msgbus: an observer threw an exception, which it must not do: no disk\n");
}

}  // namespace say_test
