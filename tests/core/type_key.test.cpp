#include <msgbus/detail/core/type_key.hpp>

#include "support/catch.hpp"

#include <limits>
#include <set>
#include <string>

namespace type_key_test {

namespace {

using msgbus::detail::key_of;
using msgbus::detail::value_ref;

struct user {};
struct order {};
template <class T>
struct created {
  T entity;
};
struct vip : user {};

msgbus::detail::integer_value read(const auto& number) {
  return key_of<decltype(number)>->integer(&number);
}

}  // namespace

TEST_CASE("every type has a key of its own, templates by their arguments", "[T1]") {
  const std::set<msgbus::detail::type_key> keys{
      key_of<user>,         key_of<vip>,   key_of<created<user>>, key_of<created<order>>,
      key_of<created<vip>>, key_of<int>,   key_of<unsigned>,      key_of<long>,
      key_of<long long>,    key_of<char>,  key_of<signed char>,   key_of<std::string>,
      key_of<const char*>,  key_of<char*>, key_of<char[4]>,       key_of<char[5]>};
  CHECK(keys.size() == 16);
}

TEST_CASE("two types of the same name have different keys", "[T1]") {
  const auto first = [] {
    struct local {};
    return key_of<local>;
  }();
  const auto second = [] {
    struct local {};
    return key_of<local>;
  }();
  CHECK(first != second);
}

TEST_CASE("a type's reference and const are not part of its key", "[T1]") {
  CHECK(key_of<const user> == key_of<user>);
  CHECK(key_of<user&> == key_of<user>);
  CHECK(key_of<const user&> == key_of<user>);
  CHECK(key_of<user&&> == key_of<user>);
}

TEST_CASE("a key has the name of its type, and its hash") {
  CHECK(key_of<user>->name == msgbus::type_name<user>());
  CHECK(key_of<user>->hash == msgbus::detail::hash_of(msgbus::type_name<user>()));
}

TEST_CASE("a value_ref refers to the value under the key of its type") {
  const created<user> value{};
  const value_ref ref = value_ref::to(value);
  CHECK(ref.data == &value);
  CHECK(ref.type == key_of<created<user>>);
}

TEST_CASE("a value_ref ignores an overloaded address operator") {
  struct elusive {
    elusive* operator&() { return nullptr; }
    const elusive* operator&() const { return nullptr; }
    int value = 0;
  };
  const elusive value;
  CHECK(value_ref::to(value).data == static_cast<const void*>(&value.value));
}

TEST_CASE("an integer of any type is read as its sign and magnitude") {
  CHECK(read(0).magnitude == 0);
  CHECK_FALSE(read(0).negative);
  CHECK(read(-1).magnitude == 1);
  CHECK(read(-1).negative);
  CHECK(read(std::numeric_limits<std::int64_t>::min()).magnitude == std::uint64_t{1} << 63);
  CHECK(read(std::numeric_limits<std::int64_t>::min()).negative);
  CHECK(read(std::numeric_limits<std::uint64_t>::max()).magnitude ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(read(std::numeric_limits<std::uint64_t>::max()).negative);
  CHECK(read(std::numeric_limits<signed char>::min()).magnitude == 128);
  CHECK(read(true).magnitude == 1);
  CHECK(read(U'\x10ffff').magnitude == 0x10ffff);
}

TEST_CASE("only integers are read as integers, only floats as floats, only texts as texts") {
  enum class color { red };
  CHECK(key_of<int>->integer);
  CHECK(key_of<bool>->integer);
  CHECK_FALSE(key_of<double>->integer);
  CHECK_FALSE(key_of<color>->integer);
  CHECK_FALSE(key_of<std::string>->integer);

  CHECK(key_of<float>->single);
  CHECK_FALSE(key_of<double>->single);
  CHECK_FALSE(key_of<int>->single);

  CHECK(key_of<std::string>->text);
  CHECK(key_of<std::string_view>->text);
  CHECK(key_of<const char*>->text);
  CHECK(key_of<char[6]>->text);
  CHECK_FALSE(key_of<int>->text);
  CHECK_FALSE(key_of<user>->text);
  CHECK_FALSE(key_of<const wchar_t*>->text);
}

TEST_CASE("a null pointer is read as no text") {
  const char* pointer = "text";
  CHECK(key_of<const char*>->text(&pointer) == msgbus::detail::text_value("text"));
  pointer = nullptr;
  CHECK(key_of<const char*>->text(&pointer) == std::nullopt);
  const std::string text("a\0b", 3);
  CHECK(key_of<std::string>->text(&text) ==
        msgbus::detail::text_value(std::string_view("a\0b", 3)));
}

TEST_CASE("an array of characters is read up to its first null, or to its end", "[T5]") {
  const char literal[] = "text";
  CHECK(key_of<char[5]>->text(&literal) == msgbus::detail::text_value("text"));
  const char early[] = {'a', 'b', '\0', 'c', '\0'};
  CHECK(key_of<char[5]>->text(&early) == msgbus::detail::text_value("ab"));
  const char full[] = {'f', 'u', 'l', 'l'};
  CHECK(key_of<char[4]>->text(&full) == msgbus::detail::text_value("full"));
}

TEST_CASE("nullptr is no text", "[T5]") { CHECK_FALSE(key_of<std::nullptr_t>->text); }

namespace {
struct unnamed_here {};
}  // namespace

TEST_CASE("two records with equal typeid are one type, as with a shared library", "[T1]") {
  using msgbus::detail::is_same_type;
  using msgbus::detail::kept_type;
  const msgbus::detail::type_record there = *key_of<std::string>;  // as in another library
  const msgbus::detail::type_record other{there.name, there.hash, &typeid(int)};
  CHECK(is_same_type(key_of<std::string>, &there));
  CHECK_FALSE(is_same_type(key_of<std::string>, &other));
  CHECK(kept_type(&there).is(key_of<std::string>));
  CHECK_FALSE(kept_type(&other).is(key_of<std::string>));
}

TEST_CASE("a type in an unnamed namespace is a different type in each library", "[T1]") {
  const msgbus::detail::type_record there = *key_of<unnamed_here>;
  CHECK_FALSE(msgbus::detail::is_same_type(key_of<unnamed_here>, &there));
  CHECK_FALSE(msgbus::detail::kept_type(&there).is(key_of<unnamed_here>));
  CHECK(msgbus::detail::kept_type(key_of<unnamed_here>).is(key_of<unnamed_here>));
}

TEST_CASE("a type is identified after its record was unloaded", "[T1]") {
  auto there = std::make_unique<msgbus::detail::type_record>(*key_of<std::string>);
  const msgbus::detail::kept_type kept(there.get());
  there.reset();
  CHECK(kept.is(key_of<std::string>));
  CHECK_FALSE(kept.is(key_of<int>));
}

}  // namespace type_key_test
