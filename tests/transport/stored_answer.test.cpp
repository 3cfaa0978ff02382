#include "transport/nats/stored_answer.hpp"

#include "support/catch.hpp"

#include <string>

namespace stored_answer_test {

using msgbus::nats::read_stored;
using msgbus::transport::stored;

namespace {

std::string read(std::string_view text) {
  stored into;
  if (!read_stored(text, into)) return "none";
  return into.stream + " " + std::to_string(into.sequence) + (into.duplicate ? " again" : "");
}

}  // namespace

TEST_CASE("what a stream says of a message that it has stored is read") {
  CHECK(read(R"({"stream":"ORDERS","seq":7})") == "ORDERS 7");
  CHECK(read(R"({"stream":"ORDERS", "seq":18446744073709551615})") ==
        "ORDERS 18446744073709551615");
  CHECK(read(R"({"seq":7,"stream":"ORDERS"})") == "ORDERS 7");
  CHECK(read(R"({"stream":"ORDERS","seq":7,"duplicate": true})") == "ORDERS 7 again");
  CHECK(read(R"({"stream":"ORDERS","seq":7,"duplicate":false})") == "ORDERS 7");
  CHECK(read(" { \"stream\" : \"ORDERS\" ,\r\n\t\"seq\" : 7 } \n") == "ORDERS 7");
}

TEST_CASE("it is read whatever else is said, and however") {
  CHECK(read(R"({"stream":"ORDERS","domain":"hub","seq":7})") == "ORDERS 7");
  CHECK(read(R"({"stream":"ORDERS","seq":7,"more":{"seq":8,"stream":"OTHERS"},"list":[1,"a"]})") ==
        "ORDERS 7");
  CHECK(read(R"({"stream":"OR\u0044ERS","seq":7})") == "ORDERS 7");
  CHECK(read("{\"stream\":\"B\u00fcro\",\"seq\":7}") == "B\u00fcro 7");
  CHECK(read(R"({"stream":"ORDERS","seq":0})") == "ORDERS 0");
}

TEST_CASE("what is not that is not read as that") {
  for (const std::string_view each :
       {"",
        "{",
        "{}",
        "7",
        "null",
        "+OK",
        R"({"stream":"ORDERS"})",
        R"({"seq":7})",
        R"({"stream":"ORDERS","seq":7)",
        R"({"stream":"ORDERS","seq":7}})",
        R"({"stream":"ORDERS","seq":7}x)",
        R"({"stream":"ORDERS","seq":-7})",
        R"({"stream":"ORDERS","seq":7.5})",
        R"({"stream":"ORDERS","seq":07})",
        R"({"stream":"ORDERS","seq":"7"})",
        R"({"stream":7,"seq":7})",
        R"({"stream":"ORDERS","seq":18446744073709551616})",
        R"({"stream":"ORDERS","seq":7,})",
        R"({"stream":"ORDERS","seq":7,"duplicate":truely})",
        R"([{"stream":"ORDERS","seq":7}])",
        R"({"error":{"code":503,"description":"no"},"stream":"ORDERS","seq":0})",
        R"({"stream":"ORDERS","seq":7,"error":{"code":400}})",
        R"({"stream":"ORDERS" "seq":7})",
        R"({stream:"ORDERS",seq:7})"}) {
    INFO(each);
    CHECK(read(each) == "none");
  }
}

}  // namespace stored_answer_test
