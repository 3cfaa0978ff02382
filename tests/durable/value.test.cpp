#include <msgbus/durable/value.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <limits>

namespace value_test {

using msgbus::errc;
using msgbus::durable::blob;
using msgbus::durable::row;
using msgbus::durable::value;
using msgbus::durable::detail::as_value;
using msgbus_test::code_of;
using msgbus_test::contains;

namespace {

row made(std::vector<value> values) {
  auto names = std::make_shared<std::vector<std::string>>();
  for (std::size_t i = 0; i < values.size(); ++i) names->push_back(std::string(1, char('a' + i)));
  return {names, std::move(values)};
}

}  // namespace

TEST_CASE("arguments become values without loss", "[R4]") {
  CHECK(std::get<std::int64_t>(as_value(7)) == 7);
  CHECK(std::get<std::int64_t>(as_value(true)) == 1);
  CHECK(std::get<double>(as_value(0.5F)) == 0.5);
  CHECK(std::get<std::string>(as_value("text")) == "text");
  CHECK(std::get<blob>(as_value(blob{std::byte{1}})).size() == 1);
  CHECK(as_value(nullptr).index() == 0);
  CHECK(as_value(std::optional<int>()).index() == 0);
  CHECK(std::get<std::int64_t>(as_value(std::optional<int>(3))) == 3);
  CHECK(code_of([] { (void)as_value(std::numeric_limits<std::uint64_t>::max()); }) ==
        errc::bad_arguments);
}

TEST_CASE("a column is read as its own type or refused with its name", "[R4]") {
  const row one = made({std::int64_t{300}, 1.5, std::string("x"), std::monostate()});
  CHECK(one.get<int>(0) == 300);
  CHECK(one.get<double>("a") == 300);
  CHECK(one.get<double>(1) == 1.5);
  CHECK(one.get<std::string>("c") == "x");
  CHECK(one.get<bool>(0));
  CHECK_FALSE(one.get<std::optional<int>>(3));
  CHECK(code_of([&] { (void)one.get<std::int8_t>(0); }) == errc::type_mismatch);
  CHECK(code_of([&] { (void)one.get<int>(3); }) == errc::type_mismatch);
  CHECK_THROWS_WITH(one.get<int>("c"), contains("'c'") && contains("a text"));
  CHECK_THROWS_WITH(one.get<int>("z"), contains("'z'") && contains("a, b, c, d"));
  CHECK_THROWS_WITH(one.get<int>(9), contains("column 9") && contains("4 columns"));
}

TEST_CASE("a row is printed with its columns and their values") {
  const row one = made({std::int64_t{300}, 1.5, std::string("x"), std::monostate(), blob(3)});
  CHECK(Catch::Detail::stringify(one) ==
        R"(row{.a = 300, .b = 1.5, .c = "x", .d = null, .e = blob of 3 bytes})");
  CHECK(Catch::Detail::stringify(made({1234567.5})) == "row{.a = 1234567.5}");
  CHECK(Catch::Detail::stringify(made({})) == "row{}");
}

}  // namespace value_test
