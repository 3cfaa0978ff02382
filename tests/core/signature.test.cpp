#include <msgbus/detail/core/signature.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <functional>
#include <string>

namespace signature_test {

namespace {

using msgbus::detail::bind_member;
using msgbus::detail::no_signature;
using msgbus::detail::signature;
using msgbus::detail::signature_for;
using msgbus::detail::signature_of;

struct event {};

using plain = int(const event&, int);
using quiet = void(event) noexcept;

struct overloaded {
  void operator()(int) {}
  void operator()(const std::string&) {}
};

struct holder {
  void change(int) {}
  int read(std::string&) const { return 0; }
  void quiet_change(int) noexcept {}
  void quiet_read(int) const noexcept {}
  void on_lvalue(int) & {}
  void on_const_lvalue(int) const& {}
};

template <class F, class S>
inline constexpr bool has = std::is_same_v<signature_of<F>, S>;

}  // namespace

TEST_CASE("the signature of a function is deduced from its type") {
  STATIC_REQUIRE(has<plain, signature<int, const event&, int>>);
  STATIC_REQUIRE(has<plain*, signature<int, const event&, int>>);
  STATIC_REQUIRE(has<plain&, signature<int, const event&, int>>);
  STATIC_REQUIRE(has<plain* const&, signature<int, const event&, int>>);
  STATIC_REQUIRE(has<quiet, signature<void, event>>);
  STATIC_REQUIRE(has<quiet*, signature<void, event>>);
}

TEST_CASE("the signature of a callable object is that of its only operator()") {
  const auto constant = [](event) {};
  auto changing = [n = 0](const event&) mutable { return ++n; };
  const auto noexcept_one = [](event) noexcept {};
  STATIC_REQUIRE(has<decltype(constant), signature<void, event>>);
  STATIC_REQUIRE(has<decltype(changing), signature<int, const event&>>);
  STATIC_REQUIRE(has<decltype(noexcept_one), signature<void, event>>);
  STATIC_REQUIRE(has<std::function<long(event&&)>, signature<long, event&&>>);
  STATIC_REQUIRE(has<std::reference_wrapper<decltype(constant)>, signature<void, event>>);
}

TEST_CASE("the signature of a member function is that of its call") {
  STATIC_REQUIRE(has<decltype(&holder::change), signature<void, int>>);
  STATIC_REQUIRE(has<decltype(&holder::read), signature<int, std::string&>>);
  STATIC_REQUIRE(has<decltype(&holder::quiet_change), signature<void, int>>);
  STATIC_REQUIRE(has<decltype(&holder::quiet_read), signature<void, int>>);
  STATIC_REQUIRE(has<decltype(&holder::on_lvalue), signature<void, int>>);
  STATIC_REQUIRE(has<decltype(&holder::on_const_lvalue), signature<void, int>>);
}

TEST_CASE("a generic or overloaded callable has no signature, and neither has another type") {
  const auto generic = [](const auto&) {};
  STATIC_REQUIRE(has<decltype(generic), no_signature>);
  STATIC_REQUIRE(has<overloaded, no_signature>);
  STATIC_REQUIRE(has<int, no_signature>);
}

TEST_CASE("the first parameter is deduced, or void without parameters") {
  STATIC_REQUIRE(
      std::is_same_v<msgbus::detail::first_parameter_of<signature<int, event&, long>>, event&>);
  STATIC_REQUIRE(std::is_void_v<msgbus::detail::first_parameter_of<signature<int>>>);
  STATIC_REQUIRE(std::is_void_v<msgbus::detail::first_parameter_of<no_signature>>);
}

TEST_CASE("a generic callable has a signature for an event") {
  const auto by_reference = [](const auto&, int) { return 1; };
  const auto by_value = [](auto) {};
  const auto forwarding = [](auto&&, long) {};
  const auto changing = [](auto&) {};
  STATIC_REQUIRE(std::is_same_v<signature_for<decltype(by_reference), event>,
                                signature<int, const event&, int>>);
  STATIC_REQUIRE(std::is_same_v<signature_for<decltype(by_value), event>, signature<void, event>>);
  STATIC_REQUIRE(std::is_same_v<signature_for<decltype(forwarding), event>,
                                signature<void, const event&, long>>);
  STATIC_REQUIRE(std::is_same_v<signature_for<decltype(changing), event>, signature<void, event&>>);
}

TEST_CASE("a callable that is not generic has its own signature for every event") {
  STATIC_REQUIRE(std::is_same_v<signature_for<plain*, int>, signature<int, const event&, int>>);
}

TEST_CASE("an overloaded callable has a signature for an event that it accepts") {
  STATIC_REQUIRE(std::is_same_v<signature_for<overloaded, int>, signature<void, const int&>>);
  STATIC_REQUIRE(
      std::is_same_v<signature_for<overloaded, std::string>, signature<void, const std::string&>>);
  STATIC_REQUIRE(std::is_same_v<signature_for<overloaded, event>, no_signature>);
}

// --- member functions ----------------------------------------------------------------------------

namespace {

struct base {
  int add(int amount) { return total += amount; }
  [[nodiscard]] int read() const { return total; }
  int total = 0;
};
struct derived : base {
  int add_twice(int amount) { return total += 2 * amount; }
};

using noted = msgbus_test::counted<struct member_argument>;
struct taker {
  int take(noted value) { return value.value; }
  int look(const noted& value) { return value.value; }
};

}  // namespace

TEST_CASE("a member function is bound to an object by reference") {
  base object;
  const auto add = bind_member(&base::add, object);
  STATIC_REQUIRE(has<decltype(add), signature<int, int>>);
  CHECK(add(5) == 5);
  CHECK(object.total == 5);
}

TEST_CASE("a member function is bound to the object of a pointer") {
  base object;
  base* pointer = &object;
  CHECK(bind_member(&base::add, pointer)(2) == 2);
  CHECK(object.total == 2);
  auto shared = std::make_shared<base>();
  CHECK(bind_member(&base::add, shared)(3) == 3);
  CHECK(shared->total == 3);
  CHECK(bind_member(&base::add, std::make_unique<base>())(4) == 4);
}

TEST_CASE("the object of a shared pointer lives as long as the bound member") {
  auto shared = std::make_shared<base>();
  const std::weak_ptr<base> watch = shared;
  {
    const auto add = bind_member(&base::add, std::move(shared));
    CHECK_FALSE(watch.expired());
    CHECK(add(1) == 1);
  }
  CHECK(watch.expired());
}

TEST_CASE("a const member function is bound to a const object") {
  base object;
  object.total = 9;
  const base& constant = object;
  CHECK(bind_member(&base::read, constant)() == 9);
}

TEST_CASE("a member function of a base is bound to a derived object") {
  derived object;
  CHECK(bind_member(&derived::add, object)(3) == 3);  // its type is a member of the base
  CHECK(bind_member(&derived::add_twice, object)(3) == 9);
  CHECK(object.total == 9);
}

TEST_CASE("a bound member passes references unchanged, and moves values", "[D9]") {
  taker object;
  const noted value(7);
  noted::reset();
  CHECK(bind_member(&taker::look, object)(value) == 7);
  CHECK(noted::copies + noted::moves == 0);
  CHECK(bind_member(&taker::take, object)(value) == 7);
  CHECK(noted::copies == 1);
  CHECK(noted::moves == 1);
}

// --- awaitables ----------------------------------------------------------------------------------

namespace {

struct task {
  struct promise_type {};
};
struct waiter {
  bool await_ready() { return true; }
};
struct wrapper {
  waiter operator co_await() && { return {}; }
};

}  // namespace

TEST_CASE("awaitable results are recognised") {
  STATIC_REQUIRE(msgbus::detail::awaitable_result<task>);
  STATIC_REQUIRE(msgbus::detail::awaitable_result<waiter>);
  STATIC_REQUIRE(msgbus::detail::awaitable_result<wrapper>);
  STATIC_REQUIRE_FALSE(msgbus::detail::awaitable_result<void>);
  STATIC_REQUIRE_FALSE(msgbus::detail::awaitable_result<int>);
  STATIC_REQUIRE_FALSE(msgbus::detail::awaitable_result<std::string>);
  STATIC_REQUIRE_FALSE(msgbus::detail::awaitable_result<base&>);
}

}  // namespace signature_test
