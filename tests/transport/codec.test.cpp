#include <msgbus/transport/codec.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

using msgbus::codec;
using msgbus::encoding;
using msgbus::errc;
using msgbus::payload;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

namespace shop {
struct order {
  int id = 0;
  std::string item;
  friend bool operator==(const order&, const order&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id, item)

struct always_binary {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(always_binary, id)

struct by_hand {
  std::string text;
};
}  // namespace shop

template <>
struct msgbus::codec<shop::always_binary> : msgbus::cbor_codec<shop::always_binary> {};

template <>
struct msgbus::codec<shop::by_hand> {
  static payload encode(const shop::by_hand& value, encoding) { return {value.text, "text/plain"}; }
  static shop::by_hand decode(std::string_view bytes, std::string_view) {
    return {std::string(bytes)};
  }
};

namespace {

template <class T>
T there_and_back(const T& value, encoding how = encoding::json) {
  const payload made = codec<T>::encode(value, how);
  return codec<T>::decode(made.bytes, made.content_type);
}

}  // namespace

TEST_CASE("what goes out as JSON or CBOR comes back the same") {
  const shop::order order{7, "tea"};
  CHECK(there_and_back(order) == order);
  CHECK(there_and_back(order, encoding::cbor) == order);
  CHECK(there_and_back(std::string("käse")) == "käse");
  CHECK(there_and_back(std::uint64_t{18446744073709551615U}) == 18446744073709551615U);
  CHECK(there_and_back(-1.5) == -1.5);
  CHECK(there_and_back(true));
  const std::map<std::string, std::vector<int>> nested{{"a", {1, 2}}, {"b", {}}};
  CHECK(there_and_back(nested) == nested);
  const std::tuple<int, std::string> several{1, "Alice"};
  CHECK(there_and_back(several) == several);
}

TEST_CASE("a payload says what it is, and is read by what it says") {
  const shop::order order{7, "tea"};
  CHECK(codec<shop::order>::encode(order).content_type == "application/json");
  CHECK(codec<shop::order>::encode(order).bytes == R"({"id":7,"item":"tea"})");
  CHECK(codec<shop::order>::encode(order, encoding::cbor).content_type == "application/cbor");
  CHECK(codec<shop::order>::decode(R"({"id":7,"item":"tea"})", "") == order);
  CHECK(codec<shop::order>::decode(R"({"id":7,"item":"tea"})", "application/json; charset=utf-8") ==
        order);
  const auto wrong = [] { (void)codec<shop::order>::decode("{}", "image/png"); };
  CHECK(code_of(wrong) == errc::decode_failed);
  CHECK_THAT(text_of(wrong), contains("image/png"));
}

TEST_CASE("a type may always be binary, or have a format of its own") {
  const payload made = codec<shop::always_binary>::encode({3}, encoding::json);
  CHECK(made.content_type == "application/cbor");
  CHECK(codec<shop::always_binary>::decode(made.bytes, made.content_type).id == 3);
  CHECK(there_and_back(shop::by_hand{"free text"}).text == "free text");
}

TEST_CASE("bytes that are not the type are refused, with what was there instead", "[T5]") {
  const auto broken = [] { (void)codec<shop::order>::decode(R"({"id":7,)", ""); };
  CHECK(code_of(broken) == errc::decode_failed);
  CHECK_THAT(text_of(broken), contains("shop::order"));
  const auto lacking = [] { (void)codec<shop::order>::decode(R"({"id":7})", ""); };
  CHECK(code_of(lacking) == errc::decode_failed);
  CHECK_THAT(text_of(lacking), contains("item"));
  const auto other = [] { (void)codec<shop::order>::decode(R"({"id":"x","item":"tea"})", ""); };
  CHECK(code_of(other) == errc::decode_failed);
  const auto truncated = [] { (void)codec<int>::decode("\x1a", "application/cbor"); };
  CHECK(code_of(truncated) == errc::decode_failed);
}

TEST_CASE("numbers are read without loss, or not at all", "[T5]") {
  const auto refused = [](auto&& call) { return code_of(call) == errc::decode_failed; };
  CHECK(codec<std::int8_t>::decode("-128", "") == -128);
  CHECK(refused([] { (void)codec<std::int8_t>::decode("128", ""); }));
  CHECK(refused([] { (void)codec<unsigned>::decode("-1", ""); }));
  CHECK(refused([] { (void)codec<int>::decode("1.5", ""); }));
  CHECK(refused([] { (void)codec<int>::decode("\"1\"", ""); }));
  CHECK(refused([] { (void)codec<int>::decode("true", ""); }));
  CHECK(refused([] { (void)codec<double>::decode("null", ""); }));
  CHECK(codec<double>::decode("1", "") == 1.0);
  using two = std::tuple<int, std::string>;
  CHECK(refused([] { (void)codec<two>::decode("[1]", ""); }));
  CHECK(refused([] { (void)codec<two>::decode("[1.5, \"a\"]", ""); }));
  CHECK(refused([] { (void)codec<two>::decode("[1, \"a\", 2]", ""); }));
}

TEST_CASE("a text that is not UTF-8 cannot become JSON") {
  const auto call = [] { (void)codec<std::string>::encode("\xff\xfe"); };
  CHECK(code_of(call) == errc::encode_failed);
}

TEST_CASE("what is nested without end is refused, and does not end the process") {
  const std::string arrays(1'000'000, '\x81');
  const auto call = [&] { (void)codec<std::vector<int>>::decode(arrays, "application/cbor"); };
  CHECK(code_of(call) == errc::decode_failed);
  CHECK_THAT(text_of(call), contains("nested too deeply"));
  const std::string brackets = std::string(500'000, '[') + std::string(500'000, ']');
  CHECK(code_of([&] { (void)codec<int>::decode(brackets, ""); }) == errc::decode_failed);
  std::string deep_enough("\x01");
  for (int i = 0; i < 150; ++i) deep_enough.insert(0, 1, '\x81');
  CHECK(codec<nlohmann::json>::decode(deep_enough, "application/cbor").is_array());
}
