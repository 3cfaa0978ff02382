#include <msgbus/transport/codec.hpp>

#include "core/text.hpp"

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <sstream>
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

struct position {
  std::string name;
  double amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(position, name, amount)

struct basket {
  std::vector<position> orders;
  std::map<std::string, float> rates;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(basket, orders, rates)

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

namespace codec_test {

namespace {

template <class T>
T there_and_back(const T& value, encoding wanted = encoding::json) {
  const payload made = codec<T>::encode(value, wanted);
  return codec<T>::decode(made.bytes, made.content_type);
}

}  // namespace

TEST_CASE("a value that is encoded as JSON or CBOR is decoded unchanged") {
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

TEST_CASE("a payload has its content type, and is decoded by it") {
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

TEST_CASE("a type may always be binary, or have its own format") {
  const payload made = codec<shop::always_binary>::encode({3}, encoding::json);
  CHECK(made.content_type == "application/cbor");
  CHECK(codec<shop::always_binary>::decode(made.bytes, made.content_type).id == 3);
  CHECK(there_and_back(shop::by_hand{"free text"}).text == "free text");
}

TEST_CASE("links encode as the codec does, with its content type") {
  const auto check = []<class T>(const T& value, encoding wanted) {
    const payload made = codec<T>::encode(value, wanted);
    const auto of_link = msgbus::detail::encode<T>(value, wanted);
    CHECK(of_link.bytes == made.bytes);
    CHECK(of_link.content_type() == made.content_type);
  };
  for (const encoding wanted : {encoding::json, encoding::cbor}) {
    check(shop::order{7, "tea"}, wanted);
    check(7, wanted);
    check(shop::always_binary{3}, wanted);
    check(shop::by_hand{"free text"}, wanted);
  }
}

TEST_CASE("bytes that do not decode are refused, and the error quotes them", "[T5]") {
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

TEST_CASE("numbers are decoded without loss, or not at all", "[T5]") {
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

TEST_CASE("a text that is not UTF-8 cannot become JSON, and the error names it") {
  const auto refused = [](const auto& value, const char* where) {
    using type = std::remove_cvref_t<decltype(value)>;
    const auto call = [&] { (void)codec<type>::encode(value); };
    CHECK(code_of(call) == errc::encode_failed);
    CHECK_THAT(text_of(call), contains(where));
  };
  refused(std::string("\xff\xfe"), "its value is a text that is not UTF-8");
  refused(shop::order{1, "\xc3"}, "shop::order cannot be written: its member /item is a text");
  const std::map<std::string, int> odd_name{{"a", 1}, {"\xff", 2}};
  refused(odd_name, "its member /\xef\xbf\xbd has a name that is not UTF-8");
}

TEST_CASE("a number that JSON does not have is refused, and the error names the member", "[T5]") {
  const double infinity = std::numeric_limits<double>::infinity();
  // given: a structure with numbers in nested members
  shop::basket all;
  for (int i = 0; i < 5; ++i) all.orders.push_back({"tea", 1.5});
  const auto encode = [&] { (void)codec<shop::basket>::encode(all); };
  // when: one of them is not finite
  all.orders[3].amount = std::nan("");
  CHECK(code_of(encode) == errc::encode_failed);
  // then: the error has its JSON pointer
  CHECK_THAT(text_of(encode), contains("shop::basket cannot be written: its member "
                                       "/orders/3/amount is not a finite number"));
  all.orders[3].amount = 1;
  all.rates["a/b~c"] = -std::numeric_limits<float>::infinity();
  CHECK(code_of(encode) == errc::encode_failed);
  CHECK_THAT(text_of(encode), contains("/rates/a~1b~0c "));
  // then: the same holds for a bare number and for arguments
  for (const double each : {std::nan(""), infinity, -infinity}) {
    CHECK(code_of([&] { (void)codec<double>::encode(each); }) == errc::encode_failed);
    using two = std::tuple<int, double>;
    const auto arguments = [&] { (void)codec<two>::encode(two(1, each)); };
    CHECK(code_of(arguments) == errc::encode_failed);
    CHECK_THAT(text_of(arguments), contains("/1 is not a finite number"));
  }
}

TEST_CASE("CBOR encodes every number", "[T5]") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(std::isnan(there_and_back(std::nan(""), encoding::cbor)));
  CHECK(std::isnan(there_and_back(std::numeric_limits<float>::quiet_NaN(), encoding::cbor)));
  CHECK(there_and_back(infinity, encoding::cbor) == infinity);
  CHECK(there_and_back(-infinity, encoding::cbor) == -infinity);
  CHECK(std::isinf(there_and_back(std::numeric_limits<float>::infinity(), encoding::cbor)));
  shop::basket all;
  all.orders.push_back({"tea", std::nan("")});
  all.rates["a"] = -std::numeric_limits<float>::infinity();
  const shop::basket back = there_and_back(all, encoding::cbor);
  CHECK(std::isnan(back.orders.at(0).amount));
  CHECK(std::isinf(back.rates.at("a")));
}

TEST_CASE("the largest and the smallest numbers are decoded unchanged", "[T5]") {
  const auto both = [](auto value) {
    CHECK(there_and_back(value) == value);
    CHECK(there_and_back(value, encoding::cbor) == value);
  };
  both(std::numeric_limits<std::int64_t>::min());
  both(std::numeric_limits<std::int64_t>::max());
  both(std::numeric_limits<std::uint64_t>::max());
  both(std::numeric_limits<double>::max());
  both(std::numeric_limits<double>::denorm_min());
  both(std::numeric_limits<float>::lowest());
  both(std::numeric_limits<float>::denorm_min());
  both(0.1F);
  CHECK(std::signbit(there_and_back(-0.0)));
  CHECK(std::signbit(there_and_back(-0.0, encoding::cbor)));
}

TEST_CASE("a number that is too large for the type is refused", "[T5]") {
  CHECK(code_of([] { (void)codec<float>::decode("3.5e38", ""); }) == errc::decode_failed);
  CHECK(code_of([] { (void)codec<float>::decode("-1e300", ""); }) == errc::decode_failed);
  CHECK(code_of([] { (void)codec<double>::decode("1e400", ""); }) == errc::decode_failed);
  CHECK(code_of([] { (void)codec<std::uint64_t>::decode("18446744073709551616", ""); }) ==
        errc::decode_failed);
}

TEST_CASE("values that an encoder would write as something else are refused") {
  using json = nlohmann::json;
  const auto refused = [](const json& value, encoding wanted) {
    const auto call = [&] { (void)codec<json>::encode(value, wanted); };
    return code_of(call) == errc::encode_failed && text_of(call).find("/a ") != std::string::npos;
  };
  const json bytes = {{"a", json::binary({1, 2})}};
  CHECK(refused(bytes, encoding::json));
  CHECK(there_and_back(bytes, encoding::cbor) == bytes);
  const json tagged = {{"a", json::binary({1, 2}, 7)}};
  CHECK(refused(tagged, encoding::cbor));
  const json not_parsed = {{"a", json::parse("{]", nullptr, false)}};
  CHECK(refused(not_parsed, encoding::json));
  CHECK(refused(not_parsed, encoding::cbor));
  const std::map<int, std::string> by_number{{1, "a"}, {2, "b"}};
  CHECK(there_and_back(by_number) == by_number);
}

TEST_CASE("a content type is compared without case, blanks and parameters") {
  for (const char* const each : {"Application/JSON", " application/json\t", "application/json ;x",
                                 "application/json;charset=UTF-8"}) {
    INFO(each);
    CHECK(codec<int>::decode("1", each) == 1);
  }
  CHECK(codec<int>::decode("\x01", "Application/CBOR; x=y") == 1);
  for (const char* const each :
       {"application/jsonx", "application", "application/json/x", "json"}) {
    INFO(each);
    CHECK(code_of([&] { (void)codec<int>::decode("1", each); }) == errc::decode_failed);
  }
}

TEST_CASE("an error quotes the payload in UTF-8, and does not cut a character") {
  for (std::size_t letters = 110; letters < 125; ++letters) {
    const std::string text = std::string(letters, 'a') + "\xc3\xa4" + std::string(10, 'b');
    const std::string quoted = text_of([&] { (void)codec<int>::decode('"' + text + '"', ""); });
    CHECK_THAT(quoted, contains("aaa"));
    CHECK(msgbus::detail::find_not_utf8(quoted) == std::string::npos);
  }
  const std::string quoted = text_of([] { (void)codec<int>::decode("\"\xff\"", ""); });
  CHECK(msgbus::detail::find_not_utf8(quoted) == std::string::npos);
  const std::string type = text_of([] { (void)codec<int>::decode("1", "\xff"); });
  CHECK(msgbus::detail::find_not_utf8(type) == std::string::npos);
}

TEST_CASE("endlessly nested values are refused, and do not end the process") {
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

TEST_CASE("a text that is one integer is read as JSON says, with as many digits as there are") {
  for (const char* const text :
       {"0", "7", "-7", "123456789012345678", "-123456789012345678", "1234567890123456789",
        "18446744073709551615", "-9223372036854775808", "18446744073709551616", " 5 ", "-0"}) {
    CHECK(codec<nlohmann::json>::decode(text, "") == nlohmann::json::parse(text));
    CHECK(codec<nlohmann::json>::decode(text, "").type() == nlohmann::json::parse(text).type());
  }
  for (const char* const text : {"", "-", "01", "-01", "00", "1a", "+1", "1-", "--1", "1 2"}) {
    CHECK(code_of([&] { (void)codec<nlohmann::json>::decode(text, ""); }) == errc::decode_failed);
  }
  for (const std::int64_t each : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'000'000}}) {
    CHECK(codec<std::int64_t>::encode(each).bytes == nlohmann::json(each).dump());
  }
}

TEST_CASE("a payload is printed with its beginning and its size") {
  std::ostringstream out;
  out << msgbus::payload{std::string(201, 'x'), "text/plain"} << msgbus::encoding::cbor;
  CHECK(out.str() == "payload{.bytes = \"" + std::string(200, 'x') +
                         "\"... of 201 bytes, .content_type = \"text/plain\"}cbor");
}

}  // namespace codec_test
