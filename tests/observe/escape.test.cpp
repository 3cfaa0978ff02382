#include "observe/escape.hpp"

#include "support/catch.hpp"

#include <string>

namespace escape_test {

using msgbus::detail::json_string;
using msgbus::detail::logfmt_value;

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

}  // namespace escape_test
