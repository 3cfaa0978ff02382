#include <msgbus/detail/policy/stored_policy.hpp>

#include "support/catch.hpp"
#include "support/watched_executor.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <memory>

namespace stored_policy_test {

using msgbus::detail::stored_policy;
using msgbus_test::watched_executor;
using namespace std::chrono_literals;

TEST_CASE("a held policy is the policy that was given") {
  asio::io_context context;
  const stored_policy plain{msgbus::policy{}};
  CHECK(plain.is_plain());
  CHECK_FALSE(plain.has_executor());
  CHECK_FALSE(plain.executor());
  const stored_policy asks(
      msgbus::policy{.executor = context.get_executor(), .timeout = 1s, .retry = {.attempts = 4}});
  CHECK_FALSE(asks.is_plain());
  CHECK(asks.has_executor());
  CHECK(asks.executor() == context.get_executor());
  CHECK(asks.timeout == 1s);
  CHECK(asks.retry.attempts == 4);
}

TEST_CASE("a held policy releases its executor when the context ends", "[A12]") {
  auto context = std::make_unique<asio::io_context>();
  std::weak_ptr<void> copies;
  std::unique_ptr<stored_policy> held;
  {
    const auto watched = watched_executor::over(context->get_executor());
    copies = watched.copies();
    held = std::make_unique<stored_policy>(msgbus::policy{.executor = asio::make_strand(watched)});
  }
  CHECK_FALSE(copies.expired());
  context.reset();
  CHECK(copies.expired());
  CHECK(held->has_executor());
  CHECK_FALSE(held->executor());
}

TEST_CASE("a held policy that goes first releases its executor with it", "[A12]") {
  asio::io_context context;
  const auto watched = watched_executor::over(context.get_executor());
  stored_policy* const held = new stored_policy(msgbus::policy{.executor = watched});
  CHECK(held->executor() == watched);
  delete held;
}

}  // namespace stored_policy_test
