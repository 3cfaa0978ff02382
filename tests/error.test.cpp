#include <msgbus/error.hpp>

#include <msgbus/topic.hpp>

#include "support/catch.hpp"

#include <set>
#include <sstream>
#include <type_traits>

namespace error_test {

namespace {

using msgbus::dispatch_error;
using msgbus::errc;
using msgbus::error;

constexpr errc all_codes[] = {
    errc::no_handler,         errc::bad_arguments, errc::not_provided,  errc::duplicate_handler,
    errc::invalid_topic,      errc::type_mismatch, errc::closed,        errc::full,
    errc::would_deadlock,     errc::timed_out,     errc::circuit_open,  errc::rate_limited,
    errc::misused_dependency, errc::decode_failed, errc::disconnected,  errc::handlers_failed,
    errc::remote_failed,      errc::encode_failed, errc::access_denied, errc::unsupported,
    errc::transport_failed};

template <class E>
std::exception_ptr pointer_to(E e) {
  return std::make_exception_ptr(std::move(e));
}

}  // namespace

TEST_CASE("an error has the code of its construction, and no other") {
  for (const errc made : all_codes) {
    const error e(made, "text");
    for (const errc other : all_codes) CHECK((e.code() == other) == (made == other));
  }
}

TEST_CASE("no code means success, and every code has its own message") {
  std::set<std::string> messages;
  for (const errc code : all_codes) {
    const std::error_code made = code;
    CHECK(static_cast<bool>(made));
    CHECK(made.category() == msgbus::error_category());
    CHECK_FALSE(made.message().empty());
    messages.insert(made.message());
  }
  CHECK(messages.size() == std::size(all_codes));
}

TEST_CASE("the category is one object and has a name") {
  CHECK(&msgbus::error_category() == &msgbus::error_category());
  CHECK(std::string(msgbus::error_category().name()) == "msgbus");
}

TEST_CASE("a number that is no code has a message too") {
  CHECK_THAT(std::error_code(4711, msgbus::error_category()).message(),
             msgbus_test::contains("4711"));
}

TEST_CASE("a code of another category is another code") {
  const std::error_code generic(static_cast<int>(errc::no_handler), std::generic_category());
  CHECK(generic != errc::no_handler);
}

TEST_CASE("the text of an error is the given text alone") {
  const error e(errc::closed, "the consumer is closed");
  CHECK(std::string(e.what()) == "the consumer is closed");
  const std::system_error& base = e;
  CHECK(std::string(base.what()) == "the consumer is closed");
  CHECK(base.code() == errc::closed);
}

TEST_CASE("copying an error does not throw") {
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<error>);
  STATIC_REQUIRE(std::is_nothrow_copy_assignable_v<error>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<dispatch_error>);
  STATIC_REQUIRE(std::is_nothrow_copy_assignable_v<dispatch_error>);
}

TEST_CASE("a dispatch_error holds the thrown exceptions, in order", "[D2]") {
  const std::exception_ptr first = pointer_to(std::runtime_error("first"));
  const std::exception_ptr second = pointer_to(42);
  const dispatch_error e({first, second});
  REQUIRE(e.errors().size() == 2);
  CHECK(e.errors()[0] == first);
  CHECK(e.errors()[1] == second);
  CHECK(e.code() == errc::handlers_failed);
}

TEST_CASE("the text of a dispatch_error has the texts of its exceptions, in order", "[D2]") {
  const dispatch_error e({pointer_to(std::runtime_error("no stock")), pointer_to(42),
                          pointer_to(error(errc::closed, "closed"))});
  CHECK(std::string(e.what()) ==
        "3 failures: no stock; an exception that is not a std::exception; closed");
}

TEST_CASE("a copy of a dispatch_error holds the same exceptions", "[D2]") {
  const std::exception_ptr first = pointer_to(1);
  const dispatch_error e({first, pointer_to(2)});
  const dispatch_error copy = e;
  CHECK(copy.errors()[0] == first);
  CHECK(copy.errors().size() == 2);
  CHECK(std::string(copy.what()) == e.what());
}

TEST_CASE("a dispatch_error is caught as an error", "[D2]") {
  CHECK_THROWS_AS(throw dispatch_error({pointer_to(1), pointer_to(2)}), error);
}

TEST_CASE("any exception can be described") {
  CHECK(msgbus::describe(pointer_to(std::runtime_error("no stock"))) == "no stock");
  CHECK(msgbus::describe(pointer_to(error(errc::full, "full up"))) == "full up");
  CHECK(msgbus::describe(pointer_to(42)) == "an exception that is not a std::exception");
}

TEST_CASE("the text of an error is one line, for all bytes", "[T7]") {
  const auto text_of = [](auto&& fails) {
    try {
      fails();
    } catch (const error& e) {
      return std::string(e.what());
    }
    return std::string("nothing thrown");
  };
  CHECK(text_of([] { msgbus::detail::check_topic("a\r\nPUB x 0"); }) ==
        "invalid topic 'a\\r\\nPUB x 0': it has white space");
  CHECK(text_of([] { throw error(errc::closed, "\x1b[2J\xff"); }) == "\\x1b[2J\\xff");
  CHECK(text_of([] {
          throw dispatch_error({pointer_to(std::runtime_error("a\nb")), pointer_to(1)});
        }) == "2 failures: a\\nb; an exception that is not a std::exception");
}

TEST_CASE("an error code enumerator is printed by its name") {
  std::ostringstream out;
  out << errc::closed << ' ' << errc::transport_failed << ' ' << static_cast<errc>(99);
  CHECK(out.str() == "closed transport_failed errc(99)");
}

}  // namespace error_test
