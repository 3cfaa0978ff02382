#include <msgbus/detail/core/cause.hpp>

#include "support/catch.hpp"

#include <thread>

namespace cause_test {

namespace {

msgbus::detail::shared_origin made(const char* id) {
  return std::make_shared<const msgbus::origin>(msgbus::origin{.message_id = id});
}

}  // namespace

TEST_CASE("a thread without a cause_scope has no cause") {
  CHECK(msgbus::detail::current_cause() == nullptr);
  CHECK(msgbus::detail::current_origin() == nullptr);
}

TEST_CASE("cause scopes nest, and each restores the previous cause") {
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

TEST_CASE("an empty cause counts as none, until it is set") {
  msgbus::detail::shared_origin cause;
  const msgbus::detail::cause_scope scope(&cause);
  CHECK(msgbus::detail::current_cause() == nullptr);
  cause = made("late");
  CHECK(msgbus::detail::current_origin() == cause.get());
}

TEST_CASE("the cause of one thread is not the cause of another") {
  const msgbus::detail::shared_origin mine = made("mine");
  const msgbus::detail::cause_scope scope(&mine);
  bool none = false;
  std::thread([&] { none = msgbus::detail::current_cause() == nullptr; }).join();
  CHECK(none);
}

}  // namespace cause_test
