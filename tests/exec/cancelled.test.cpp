#include <msgbus/exec/cancelled.hpp>

#include <msgbus/sync.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/error.hpp>

namespace cancelled_test {

using msgbus::testing::stepping_context;

namespace {

struct ping {};

}  // namespace

TEST_CASE("cancelled() waits until the handler was cancelled and its captures are gone", "[D6]") {
  stepping_context context;
  msgbus::sync::consumer consumer;
  auto kept = std::make_shared<int>(1);
  msgbus::subscription held = consumer.handler([kept](const ping&) {});
  auto waiting = context.spawn(held.cancelled());
  context.run();
  CHECK_FALSE(waiting.done());
  held.cancel();
  CHECK(kept.use_count() == 1);
  context.run();
  CHECK(waiting.done());
  CHECK(waiting.failure() == nullptr);
  context.run(held.cancelled());  // it is so already
}

TEST_CASE("cancelled() of no subscription is done at once") {
  stepping_context context;
  const msgbus::subscription none;
  context.run(none.cancelled());
}

TEST_CASE("cancelling the wait leaves the handler as it is", "[A9]") {
  stepping_context context;
  msgbus::sync::consumer consumer;
  msgbus::subscription held = consumer.handler([](const ping&) {});
  auto waiting = context.spawn(held.cancelled());
  context.run();
  waiting.cancel();
  context.run();
  CHECK_THROWS_AS(waiting.get(), std::system_error);
  CHECK(held.active());
  CHECK(consumer.consume(ping{}) == 1);
  held.cancel();
}

}  // namespace cancelled_test
