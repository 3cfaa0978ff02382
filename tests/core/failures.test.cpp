#include <msgbus/detail/core/failures.hpp>

#include <msgbus/error.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

namespace failures_test {

namespace {

using msgbus_test::caught;
using msgbus_test::thrown_by;

std::exception_ptr failure(int number) { return std::make_exception_ptr(number); }

}  // namespace

TEST_CASE("a list without failures throws nothing", "[D2]") {
  msgbus::detail::failures none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK_NOTHROW(none.throw_any());
}

TEST_CASE("one failure is thrown as the same exception object", "[D2]") {
  msgbus::detail::failures failed;
  const std::exception_ptr only = failure(1);
  failed.add(only);
  CHECK_FALSE(failed.empty());
  CHECK(thrown_by([&] { failed.throw_any(); }) == only);
}

TEST_CASE("several failures are thrown as one dispatch_error, in order", "[D2]") {
  msgbus::detail::failures failed;
  const std::vector<std::exception_ptr> all{failure(1), failure(2), failure(3)};
  for (const auto& each : all) failed.add(each);
  CHECK(failed.size() == 3);
  CHECK(failed[1] == all[1]);
  CHECK(caught<msgbus::dispatch_error>([&] { failed.throw_any(); }).errors() == all);
}

TEST_CASE("a dispatch_error among several failures is one of them", "[D2]") {
  msgbus::detail::failures failed;
  const auto nested =
      std::make_exception_ptr(msgbus::dispatch_error({failure(1), failure(2), failure(3)}));
  failed.add(nested);
  failed.add(failure(4));
  const auto e = caught<msgbus::dispatch_error>([&] { failed.throw_any(); });
  REQUIRE(e.errors().size() == 2);
  CHECK(e.errors()[0] == nested);
}

TEST_CASE("a rethrown exception counts once", "[D2][I3]") {
  msgbus::detail::failures failed;
  const std::exception_ptr first = failure(1);
  failed.add_new(first);
  failed.add_new(first);
  CHECK(failed.size() == 1);
  failed.add_new(failure(1));  // another exception with the same text
  CHECK(failed.size() == 2);
  failed.add_new(first);
  CHECK(failed.size() == 2);
}

TEST_CASE("failures that are taken come after those that are present", "[D2]") {
  msgbus::detail::failures outer;
  msgbus::detail::failures inner;
  const std::vector<std::exception_ptr> all{failure(1), failure(2), failure(3)};
  outer.add(all[0]);
  inner.add(all[1]);
  inner.add(all[2]);
  outer.take(inner);
  CHECK(inner.empty());
  CHECK_NOTHROW(inner.throw_any());
  CHECK(caught<msgbus::dispatch_error>([&] { outer.throw_any(); }).errors() == all);
}

TEST_CASE("taking from an empty list changes nothing", "[D2]") {
  msgbus::detail::failures outer;
  msgbus::detail::failures inner;
  outer.take(inner);
  CHECK(outer.empty());
}

}  // namespace failures_test
