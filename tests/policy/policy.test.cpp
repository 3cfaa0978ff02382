#include <msgbus/policy/policy.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>

namespace policy_test {

using namespace std::chrono_literals;

TEST_CASE("a policy is plain until it asks for something") {
  asio::io_context context;
  CHECK(msgbus::policy{}.is_plain());
  CHECK_FALSE(msgbus::policy{.timeout = 1s}.is_plain());
  CHECK_FALSE(msgbus::policy{.retry = {.attempts = 2}}.is_plain());
  CHECK(msgbus::policy{.retry = {.backoff = 1s}}.is_plain());  // nothing is repeated
  CHECK_FALSE(msgbus::async::policy{.executor = context.get_executor()}.is_plain());
}

}  // namespace policy_test
