#include <msgbus/detail/core/convert.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

namespace convert_test {

namespace {

using msgbus::detail::converted;
using msgbus::detail::converts_from;
using msgbus::detail::describe;
using msgbus::detail::key_of;
using msgbus::detail::value_ref;

template <class To, class From>
std::optional<To> to(const From& value) {
  return converted<To>(value_ref::to(value));
}

// --- integers ------------------------------------------------------------------------------------

using integers =
    std::tuple<bool, char, signed char, unsigned char, wchar_t, char8_t, char16_t, char32_t, short,
               unsigned short, int, unsigned, long, unsigned long, long long, unsigned long long>;

template <class T>
constexpr bool is_below_zero(T value) {
  if constexpr (std::is_signed_v<T>) return value < 0;
  return false;
}

// An integer as its sign and 64 bits of two's complement.
struct wide {
  bool below_zero;
  std::uint64_t bits;
  bool operator==(const wide&) const = default;
};

template <class T>
constexpr wide widen(T value) {
  return {is_below_zero(value), static_cast<std::uint64_t>(value)};
}

template <class To>
constexpr bool holds(wide value) {
  if (value.below_zero) {
    return std::is_signed_v<To> && static_cast<std::int64_t>(value.bits) >=
                                       static_cast<std::int64_t>(std::numeric_limits<To>::min());
  }
  return value.bits <= static_cast<std::uint64_t>(std::numeric_limits<To>::max());
}

// The limits of every width, and the numbers next to them, as far as `From` has them.
template <class From>
std::vector<From> boundaries() {
  std::vector<From> all;
  for (const int bits : {0, 1, 7, 8, 15, 16, 31, 32, 63, 64}) {
    const std::uint64_t power = bits == 64 ? 0 : std::uint64_t{1} << bits;
    for (const std::uint64_t near : {power - 1, power, power + 1}) {
      for (const std::uint64_t signed_near : {near, std::uint64_t{0} - near}) {
        const auto value = static_cast<From>(signed_near);
        const bool same = static_cast<std::uint64_t>(value) == signed_near;
        if (same) all.push_back(value);
      }
    }
  }
  all.push_back(std::numeric_limits<From>::min());
  all.push_back(std::numeric_limits<From>::max());
  return all;
}

void expect(bool held, bool right, std::string_view from, std::string_view target, wide value) {
  INFO(from << (value.below_zero ? " -" : " ")
            << (value.below_zero ? std::uint64_t{0} - value.bits : value.bits) << " to " << target);
  if (!held) FAIL("whether the value fits was told wrong");
  if (!right) FAIL("the value was changed");
}

template <class To, class From>
std::size_t check_pair() {
  std::size_t checked = 0;
  for (const From value : boundaries<From>()) {
    const wide given = widen(value);
    const std::optional<To> got = to<To>(value);
    expect(got.has_value() == holds<To>(given), !got || widen(*got) == given,
           msgbus::type_name<From>(), msgbus::type_name<To>(), given);
    ++checked;
  }
  return checked;
}

template <class From, class... Tos>
std::size_t check_from(std::tuple<Tos...>*) {
  return (check_pair<Tos, From>() + ...);
}

template <class... Froms>
std::size_t check_all(std::tuple<Froms...>* all) {
  return (check_from<Froms>(all) + ...);
}

}  // namespace

TEST_CASE("an integer converts to an integer type exactly if that holds its value", "[T5]") {
  CHECK(check_all(static_cast<integers*>(nullptr)) > 16u * 16u * 4u);
}

TEST_CASE("integers at the limits of each type convert without loss or not at all", "[T5]") {
  CHECK(to<signed char>(127) == std::optional<signed char>(127));
  CHECK(!to<signed char>(128));
  CHECK(to<signed char>(-128) == std::optional<signed char>(-128));
  CHECK(!to<signed char>(-129));
  CHECK(to<unsigned char>(255) == std::optional<unsigned char>(255));
  CHECK(!to<unsigned char>(256));
  CHECK(!to<unsigned char>(-1));
  CHECK(to<bool>(0) == std::optional<bool>(false));
  CHECK(to<bool>(1) == std::optional<bool>(true));
  CHECK(!to<bool>(2));
  CHECK(!to<bool>(-1));
  CHECK(to<int>(true) == std::optional<int>(1));
  CHECK(to<int>('a') == std::optional<int>('a'));
  CHECK(to<char>(97) == std::optional<char>('a'));
  CHECK(!to<std::int64_t>(std::numeric_limits<std::uint64_t>::max()));
  CHECK(!to<std::uint64_t>(std::numeric_limits<std::int64_t>::min()));
  CHECK(to<std::int64_t>(std::uint64_t{0x7fff'ffff'ffff'ffff}) ==
        std::optional<std::int64_t>(std::numeric_limits<std::int64_t>::max()));
  CHECK(!to<std::int64_t>(std::uint64_t{0x8000'0000'0000'0000}));
}

TEST_CASE("an integer converts to a floating point type only if the conversion is exact", "[T5]") {
  constexpr std::int64_t two_53 = std::int64_t{1} << 53;
  CHECK(to<double>(two_53) == std::optional<double>(9007199254740992.0));
  CHECK(!to<double>(two_53 + 1));
  CHECK(to<double>(two_53 + 2) == std::optional<double>(9007199254740994.0));
  CHECK(to<double>(-two_53) == std::optional<double>(-9007199254740992.0));
  CHECK(!to<double>(-two_53 - 1));
  CHECK(to<double>(std::numeric_limits<std::int64_t>::min()) ==
        std::optional<double>(-9223372036854775808.0));
  CHECK(!to<double>(std::numeric_limits<std::int64_t>::max()));
  CHECK(to<double>(std::uint64_t{0x8000'0000'0000'0000}) ==
        std::optional<double>(9223372036854775808.0));
  CHECK(!to<double>(std::numeric_limits<std::uint64_t>::max()));
  CHECK(to<double>(0) == std::optional<double>(0.0));
  CHECK(to<double>(-3) == std::optional<double>(-3.0));

  constexpr std::int32_t two_24 = 1 << 24;
  CHECK(to<float>(two_24) == std::optional<float>(16777216.0F));
  CHECK(!to<float>(two_24 + 1));
  CHECK(to<float>(two_24 + 2) == std::optional<float>(16777218.0F));
  CHECK(!to<float>(-two_24 - 1));
  CHECK(to<float>(std::uint64_t{1} << 63) == std::optional<float>(9223372036854775808.0F));
  CHECK(to<float>(true) == std::optional<float>(1.0F));
}

TEST_CASE("an integer converts to a long double if the conversion is exact", "[T5]") {
  CHECK(to<long double>((std::int64_t{1} << 53)) ==
        std::optional<long double>(9007199254740992.0L));
  const bool holds_all = std::numeric_limits<long double>::digits >= 64;
  const std::optional<long double> most =
      to<long double>(std::numeric_limits<std::uint64_t>::max());
  CHECK(most.has_value() == holds_all);
  if (holds_all) CHECK(*most == 18446744073709551615.0L);
}

// --- floating point ------------------------------------------------------------------------------

TEST_CASE("a float converts to a double, and to nothing else", "[T5]") {
  CHECK(to<double>(0.1F) == std::optional<double>(static_cast<double>(0.1F)));
  CHECK(to<double>(std::numeric_limits<float>::max()) ==
        std::optional<double>(static_cast<double>(std::numeric_limits<float>::max())));
  CHECK(to<double>(std::numeric_limits<float>::denorm_min()) ==
        std::optional<double>(static_cast<double>(std::numeric_limits<float>::denorm_min())));
  const std::optional<double> nan = to<double>(std::numeric_limits<float>::quiet_NaN());
  REQUIRE(nan);
  CHECK(std::isnan(*nan));
  CHECK(std::signbit(to<double>(-0.0F).value_or(1.0)));

  CHECK(!to<long double>(1.0F));
  CHECK(!to<int>(1.0F));
  CHECK(!to<bool>(1.0F));
  CHECK(!to<std::string>(1.0F));
}

TEST_CASE("a double converts to nothing", "[T5]") {
  CHECK(!to<float>(1.0));
  CHECK(!to<long double>(1.0));
  CHECK(!to<int>(1.0));
  CHECK(!to<std::uint64_t>(1.0));
  CHECK(!to<std::string>(1.0));
  CHECK(!to<double>(1.0L));
}

// --- texts ---------------------------------------------------------------------------------------

namespace {

class labelled {
 public:
  explicit labelled(std::string text) : text_(std::move(text)) {}
  operator std::string_view() const { return text_; }

 private:
  std::string text_;
};

class explicitly_labelled {
 public:
  explicit operator std::string_view() const { return "label"; }
};

}  // namespace

TEST_CASE("every string-like type converts to a string and to a string_view", "[T5]") {
  const char* pointer = "pointer";
  char written[] = "written";
  char* writable = written;
  CHECK(to<std::string>("literal") == std::optional<std::string>("literal"));
  CHECK(to<std::string>(pointer) == std::optional<std::string>("pointer"));
  CHECK(to<std::string>(written) == std::optional<std::string>("written"));
  CHECK(to<std::string>(writable) == std::optional<std::string>("written"));
  CHECK(to<std::string>(std::string_view("view")) == std::optional<std::string>("view"));
  CHECK(to<std::string>(labelled("label")) == std::optional<std::string>("label"));

  const std::string text = "text";
  const std::string_view view = text;
  const labelled label("label");
  CHECK(to<std::string_view>("literal") == std::optional<std::string_view>("literal"));
  CHECK(to<std::string_view>(pointer) == std::optional<std::string_view>("pointer"));
  CHECK(to<std::string_view>(text) == std::optional<std::string_view>("text"));
  CHECK(to<std::string_view>(view) == std::optional<std::string_view>("text"));
  CHECK(to<std::string_view>(label) == std::optional<std::string_view>("label"));
}

TEST_CASE("a string_view refers to the text that it was made from", "[T5][D9]") {
  const std::string text = "a text that is too long to be kept inside of a string object";
  CHECK(to<std::string_view>(text).value().data() == text.data());
}

TEST_CASE("a text keeps its null characters", "[T5]") {
  const std::string text("a\0b", 3);
  CHECK(to<std::string>(std::string_view(text)) == std::optional<std::string>(text));
  CHECK(to<std::string_view>(text).value().size() == 3);
}

TEST_CASE("a null pointer to characters converts to nothing", "[T5]") {
  const char* null = nullptr;
  char* writable = nullptr;
  CHECK(!to<std::string>(null));
  CHECK(!to<std::string_view>(null));
  CHECK(!to<std::string>(writable));
}

TEST_CASE("nullptr converts to nothing", "[T5]") {
  CHECK(!to<std::string>(nullptr));
  CHECK(!to<std::string_view>(nullptr));
  CHECK(!to<int>(nullptr));
  CHECK(!to<bool>(nullptr));
}

TEST_CASE("texts and numbers do not convert to each other", "[T5]") {
  CHECK(!to<int>("5"));
  CHECK(!to<double>(std::string("5")));
  CHECK(!to<bool>("true"));
  CHECK(!to<std::string>(5));
  CHECK(!to<std::string>('a'));
  CHECK(!to<std::string_view>(true));
}

TEST_CASE("a type that converts to a string_view only explicitly is no text", "[T5]") {
  CHECK(!to<std::string>(explicitly_labelled{}));
}

TEST_CASE("a type of the user does not convert", "[T5]") {
  struct amount {
    int cents;
  };
  enum class color { red };
  CHECK(!to<int>(amount{5}));
  CHECK(!to<std::string>(amount{5}));
  CHECK(!to<int>(color::red));
  CHECK(!to<amount>(5));
  CHECK(!to<color>(0));
}

TEST_CASE("the conversion of a type can be checked without a value", "[T5]") {
  CHECK(converts_from<std::string>(key_of<const char*>));
  CHECK(converts_from<std::string_view>(key_of<std::string>));
  CHECK(converts_from<int>(key_of<unsigned long>));
  CHECK(converts_from<bool>(key_of<long>));
  CHECK(converts_from<float>(key_of<int>));
  CHECK(converts_from<double>(key_of<float>));
  CHECK_FALSE(converts_from<float>(key_of<double>));
  CHECK_FALSE(converts_from<long double>(key_of<float>));
  CHECK_FALSE(converts_from<int>(key_of<float>));
  CHECK_FALSE(converts_from<int>(key_of<std::string>));
  CHECK_FALSE(converts_from<std::string>(key_of<int>));
  struct other {};
  CHECK_FALSE(converts_from<other>(key_of<int>));
}

TEST_CASE("a value is described by its number and its type") {
  CHECK(describe(value_ref::to(300)) == "300 (int)");
  CHECK(describe(value_ref::to(-5)) == "-5 (int)");
  CHECK(describe(value_ref::to(true)) == "1 (bool)");
  CHECK_THAT(describe(value_ref::to(std::numeric_limits<std::int64_t>::min())),
             msgbus_test::contains("-9223372036854775808 (long"));
  CHECK_THAT(describe(value_ref::to(std::numeric_limits<std::uint64_t>::max())),
             msgbus_test::contains("18446744073709551615 ("));
  CHECK(describe(value_ref::to(1.5)) == "double");
  CHECK(describe(value_ref::to(std::string("x"))) == "std::string");
  const char* null = nullptr;
  CHECK_THAT(describe(value_ref::to(null)), msgbus_test::contains("a null pointer (const char"));
}

}  // namespace convert_test
