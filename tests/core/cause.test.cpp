#include <msgbus/detail/core/cause.hpp>

#include "support/catch.hpp"

#include <thread>

namespace cause_test {

namespace {

msgbus::detail::shared_origin made(const char* id) {
  return std::make_shared<const msgbus::origin>(msgbus::origin{.message_id = id});
}

}  // namespace

TEST_CASE("nothing is being handled where nobody says so") {
  CHECK(msgbus::detail::current_cause() == nullptr);
  CHECK(msgbus::detail::current_origin() == nullptr);
}

TEST_CASE("scopes nest, and each ends with what was before it") {
  const msgbus::detail::shared_origin outer = made("outer");
  const msgbus::detail::shared_origin inner = made("inner");
  const msgbus::detail::cause_scope one(&outer);
  CHECK(msgbus::detail::current_origin() == outer.get());
  {
    const msgbus::detail::cause_scope two(&inner);
    CHECK(msgbus::detail::current_origin() == inner.get());
    const msgbus::detail::cause_scope three(nullptr);
    CHECK(msgbus::detail::current_origin() == nullptr);
  }
  CHECK(msgbus::detail::current_cause() == &outer);
}

TEST_CASE("an empty cause is none, until it is filled") {
  msgbus::detail::shared_origin cause;
  const msgbus::detail::cause_scope scope(&cause);
  CHECK(msgbus::detail::current_cause() == nullptr);
  cause = made("late");
  CHECK(msgbus::detail::current_origin() == cause.get());
}

TEST_CASE("what one thread handles is nothing to another") {
  const msgbus::detail::shared_origin mine = made("mine");
  const msgbus::detail::cause_scope scope(&mine);
  bool none = false;
  std::thread([&] { none = msgbus::detail::current_cause() == nullptr; }).join();
  CHECK(none);
}

}  // namespace cause_test
