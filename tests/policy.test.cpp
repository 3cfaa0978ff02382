#include <msgbus/policy.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>

namespace policy_test {

using namespace std::chrono_literals;

TEST_CASE("a policy is plain until it asks for something", "[P9]") {
  asio::io_context context;
  CHECK(msgbus::policy{}.is_plain());
  CHECK_FALSE(msgbus::policy{.once = "billing"}.is_plain());
  CHECK_FALSE(msgbus::policy{.timeout = 1s}.is_plain());
  CHECK_FALSE(msgbus::policy{.retry = {.attempts = 2}}.is_plain());
  CHECK(msgbus::policy{.retry = {.backoff = 1s}}.is_plain());  // one attempt only
  CHECK_FALSE(msgbus::async::policy{.executor = context.get_executor()}.is_plain());
  CHECK_FALSE(msgbus::policy{.max_concurrent = 1}.is_plain());
  CHECK_FALSE(msgbus::policy{.breaker = std::make_shared<msgbus::circuit_breaker>()}.is_plain());
  CHECK_FALSE(msgbus::policy{.deadline = 1s}.is_plain());
  CHECK_FALSE(msgbus::policy{.rate_limit = {.permits = 1}}.is_plain());
  CHECK_FALSE(msgbus::policy{.deduplicate = {.window = 1s}}.is_plain());
}

}  // namespace policy_test
