#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/sync.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/error.hpp>
#include <asio/system_error.hpp>

#include <stdexcept>

namespace cancellation_test {

using msgbus::exec::is_aborted;

TEST_CASE("Asio's operation_aborted is known from other failures", "[A9]") {
  CHECK(is_aborted(std::make_exception_ptr(asio::system_error(asio::error::operation_aborted))));
  CHECK_FALSE(is_aborted(std::make_exception_ptr(asio::system_error(asio::error::eof))));
  CHECK_FALSE(is_aborted(std::make_exception_ptr(std::runtime_error("aborted"))));
  CHECK_FALSE(is_aborted(nullptr));
}

}  // namespace cancellation_test

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
