// The conversion of the arguments of `execute` to the parameters of a handler.

#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

namespace service_arguments_test {

namespace {

using msgbus::errc;
using msgbus::sync::service;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

struct order {
  int id = 0;
};

// A service with an operation "take", whose parameter is a `P`.
template <class P>
class taker {
 public:
  taker() {
    commands_.handler("take", [this](P) { ++ran; });
  }

  template <class A>
  bool takes(A&& given) {
    const int before = ran;
    const auto code = code_of([&] { commands_.execute("take", std::forward<A>(given)); });
    if (code) REQUIRE(code == errc::bad_arguments);
    REQUIRE((ran == before + 1) == !code);  // the handler does not run with a refused argument
    return !code;
  }

  template <class A>
  std::string refusal(A&& given) {
    return text_of([&] { commands_.execute("take", std::forward<A>(given)); });
  }

  int ran = 0;

 private:
  service commands_;
};

}  // namespace

TEST_CASE(
    "a wrong number of arguments is refused, and the error names the expected and the given ones") {
  service commands;
  commands.handler("add", [](int, const std::string&) { FAIL("ran with a wrong count"); });
  commands.handler("none", [] { FAIL("ran with a wrong count"); });
  for (const auto& call : {std::function<void()>([&] { commands.execute("add"); }),
                           std::function<void()>([&] { commands.execute("add", 1); }),
                           std::function<void()>([&] { commands.execute("add", 1, "x", 2); }),
                           std::function<void()>([&] { commands.execute("none", 1); })}) {
    CHECK(code_of(call) == errc::bad_arguments);
  }
  const std::string one = text_of([&] { commands.execute("add", 1); });
  CHECK_THAT(one, contains("operation 'add' takes 2 arguments (int, "));
  CHECK_THAT(one, contains("not 1 (int)"));
  CHECK(text_of([&] { commands.execute("none", 1, 2.0); }) ==
        "operation 'none' takes 0 arguments (), not 2 (int, double)");
}

TEST_CASE("a dependency is no argument") {
  static constexpr auto get_one = [] { return 1; };
  service commands;
  int seen = 0;
  commands.handler("take", [&](msgbus::depends<get_one> one, int a) { seen = *one + a; });
  commands.execute("take", 4);
  CHECK(seen == 5);
  CHECK(code_of([&] { commands.execute("take", 4, 4); }) == errc::bad_arguments);
  CHECK_THAT(text_of([&] { commands.execute("take"); }), contains("takes 1 argument (int)"));
}

TEST_CASE("an argument of a wrong type is refused, and the error names its position and both types",
          "[T5]") {
  service commands;
  commands.handler("update", [](int, const order&, double) { FAIL("ran with a wrong type"); });
  CHECK(code_of([&] { commands.execute("update", 1, 2, 3.0); }) == errc::bad_arguments);
  const std::string second = text_of([&] { commands.execute("update", 1, 2, 3.0); });
  CHECK_THAT(second, contains("operation 'update': argument 2 is 2 (int)"));
  CHECK_THAT(second, contains(std::string(msgbus::type_name<order>())));
  CHECK_THAT(text_of([&] { commands.execute("update", 1, order{}, order{}); }),
             contains("argument 3 is " + std::string(msgbus::type_name<order>()) +
                      ", but its parameter is double"));
  CHECK_THAT(text_of([&] { commands.execute("update", "x", 2, "y"); }), contains("argument 1"));
}

TEST_CASE("an argument whose value does not fit is refused, and the error names the value",
          "[T5]") {
  taker<std::uint8_t> byte;
  CHECK(byte.takes(255));
  CHECK_FALSE(byte.takes(256));
  CHECK_FALSE(byte.takes(-1));
  CHECK(byte.takes(std::int64_t{7}));
  CHECK_THAT(byte.refusal(300), contains("300 (int)"));
  CHECK_THAT(byte.refusal(300), contains("the value does not fit"));
  CHECK_THAT(byte.refusal("x"), contains("it does not convert without loss"));

  taker<const std::int64_t&> wide;
  CHECK(wide.takes(std::uint64_t{5}));
  CHECK_FALSE(wide.takes(std::numeric_limits<std::uint64_t>::max()));
  taker<bool> truth;
  CHECK(truth.takes(1));
  CHECK_FALSE(truth.takes(2));
  taker<double> real;
  CHECK(real.takes(1.5F));
  CHECK(real.takes(std::int64_t{1} << 53));
  CHECK_FALSE(real.takes((std::int64_t{1} << 53) + 1));
  taker<float> single;
  CHECK(single.takes(3));
  CHECK_FALSE(single.takes(1.0));
}

TEST_CASE("texts of every kind are arguments for strings and string_views", "[T5]") {
  service commands;
  std::string seen;
  commands.handler("string", [&](std::string text) { seen += text + " "; });
  commands.handler("reference", [&](const std::string& text) { seen += text + " "; });
  commands.handler("view", [&](std::string_view text) { seen += std::string(text) + " "; });
  commands.handler("moved", [&](std::string&& text) { seen += text + " "; });
  const char* pointer = "p";
  std::string lvalue = "l";
  for (const char* name : {"string", "reference", "view", "moved"}) {
    commands.execute(name, "literal");
    commands.execute(name, pointer);
    commands.execute(name, lvalue);
    commands.execute(name, std::string("s"));
    commands.execute(name, std::string_view("v"));
    CHECK(seen == "literal p l s v ");
    seen.clear();
  }
  CHECK(lvalue == "l");
}

TEST_CASE("a null pointer to characters is refused, and the error names it", "[T5]") {
  taker<std::string> text;
  const char* null = nullptr;
  CHECK_FALSE(text.takes(null));
  CHECK_THAT(text.refusal(null), contains("a null pointer"));
  CHECK_FALSE(text.takes(nullptr));
  taker<std::string_view> view;
  CHECK_FALSE(view.takes(null));
  taker<const char*> pointer;
  CHECK(pointer.takes(null));
}

TEST_CASE("a reference parameter accepts a variable of exactly its type") {
  service commands;
  commands.handler("increment", [](int& value) { ++value; });
  commands.handler("append", [](std::string& text) { text += "!"; });
  // then: the handler changes the caller's variable
  int value = 1;
  commands.execute("increment", value);
  CHECK(value == 2);
  std::string text = "x";
  commands.execute("append", text);
  CHECK(text == "x!");

  // then: constants, temporaries and other types are refused
  const int constant = 1;
  long other = 1;
  taker<int&> reference;
  CHECK(reference.takes(value));
  CHECK_FALSE(reference.takes(constant));
  CHECK_FALSE(reference.takes(5));
  CHECK_FALSE(reference.takes(other));
  CHECK_THAT(reference.refusal(constant), contains("a reference to non-const needs a variable"));
  CHECK_THAT(reference.refusal(other), contains("a reference needs exactly this type"));
}

TEST_CASE("a reference to const refers to the caller's own value", "[D9]") {
  service commands;
  const void* seen = nullptr;
  commands.handler("look", [&](const std::string& text) { seen = &text; });
  commands.handler("look at order", [&](const order& o) { seen = &o; });
  const std::string text = "text";
  commands.execute("look", text);
  CHECK(seen == &text);
  const order given;
  commands.execute("look at order", given);
  CHECK(seen == &given);
}

TEST_CASE("a pointer to a function is an argument of exactly its type") {
  service commands;
  int (*twice)(int) = [](int value) { return 2 * value; };
  commands.handler("apply", [](int (*f)(int), int value) { return f(value); });
  CHECK(commands.execute<int>("apply", twice, 4) == 8);
}

TEST_CASE("an argument that cannot be copied must be moved") {
  service commands;
  int sum = 0;
  // given: operations with a move-only parameter
  commands.handler("take", [&](std::unique_ptr<int> p) { sum += *p; });
  commands.handler("take reference", [&](std::unique_ptr<int>&& p) {
    const std::unique_ptr<int> taken = std::move(p);
    sum += *taken;
  });
  commands.handler("look", [&](const std::unique_ptr<int>& p) { sum += *p; });
  auto kept = std::make_unique<int>(1);
  const auto constant = std::make_unique<int>(1);
  // then: a variable and a constant are refused, and not moved from
  for (const char* name : {"take", "take reference"}) {
    CHECK(code_of([&] { commands.execute(name, kept); }) == errc::bad_arguments);
    CHECK(code_of([&] { commands.execute(name, std::move(constant)); }) == errc::bad_arguments);
    CHECK_THAT(text_of([&] { commands.execute(name, kept); }),
               contains("it cannot be copied; pass it with std::move"));
    REQUIRE(kept != nullptr);
  }
  // then: temporaries and moved variables are accepted
  commands.execute("take", std::make_unique<int>(10));
  commands.execute("take reference", std::make_unique<int>(100));
  commands.execute("look", kept);
  CHECK(sum == 111);
  commands.execute("take", std::move(kept));
  CHECK(sum == 112);
  CHECK(kept == nullptr);
}

TEST_CASE("a refused argument was not moved from") {
  service commands;
  commands.handler("take", [](std::string, std::unique_ptr<int>, int) {});
  std::string text = "a text that is too long to be kept inside of a string object";
  auto pointer = std::make_unique<int>(1);
  CHECK(code_of([&] {
          commands.execute("take", std::move(text), std::move(pointer), "no number");
        }) == errc::bad_arguments);
  CHECK(text.size() > 50);
  CHECK(pointer != nullptr);
}

TEST_CASE("moved arguments are never copied, and others are copied once", "[D9]") {
  using noted = msgbus_test::counted<struct argument>;
  service commands;
  auto take = commands.handler("take", [](noted value) { return value.value; });
  commands.handler("look", [](const noted& value) { return value.value; });
  commands.handler("take over", [](noted&& value) { return value.value; });
  noted given(3);

  noted::reset();
  CHECK(commands.execute<int>("take", std::move(given)) == 3);
  CHECK(noted::copies == 0);
  CHECK(noted::moves > 0);

  noted::reset();
  CHECK(commands.execute<int>("take", given) == 3);
  CHECK(noted::copies == 1);

  noted::reset();
  CHECK(commands.execute<int>("look", given) == 3);
  CHECK(commands.execute<int>("take over", std::move(given)) == 3);
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 0);

  noted::reset();
  CHECK(commands.execute<int>("take over", given) == 3);  // the caller's value is copied
  CHECK(noted::copies == 1);

  noted::reset();
  CHECK(take(std::move(given)) == 3);
  CHECK(noted::copies == 0);

  noted::reset();
  CHECK(take(given) == 3);
  CHECK(noted::copies == 1);
}

TEST_CASE("a handler with an rvalue reference parameter does not change a caller's variable") {
  service commands;
  commands.handler("take over", [](std::string&& text) {
    const std::string taken = std::move(text);
    CHECK(taken.size() > 50);
  });
  std::string text = "a text that is too long to be kept inside of a string object";
  commands.execute("take over", text);
  CHECK(text.size() > 50);
  commands.execute("take over", std::move(text));
  CHECK(text.empty());
}

}  // namespace service_arguments_test
