#include <msgbus/detail/exec/requirements.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

namespace requirements_test {

using msgbus::exec::execution_context;

namespace {

struct has_an_executor {
  asio::io_context::executor_type get_executor();
};

}  // namespace

// tests/compile has the Asio that is too old.
TEST_CASE(
    "an execution context is one of Asio's or a stepping context, and not each object with "
    "an executor") {
  STATIC_REQUIRE(execution_context<asio::io_context>);
  STATIC_REQUIRE(execution_context<asio::thread_pool>);
  STATIC_REQUIRE(execution_context<msgbus::testing::stepping_context>);
  STATIC_REQUIRE_FALSE(execution_context<asio::execution_context>);
  STATIC_REQUIRE_FALSE(execution_context<const asio::io_context>);
  STATIC_REQUIRE_FALSE(execution_context<asio::any_io_executor>);
  STATIC_REQUIRE_FALSE(execution_context<asio::strand<asio::io_context::executor_type>>);
  STATIC_REQUIRE_FALSE(execution_context<asio::steady_timer>);
  STATIC_REQUIRE_FALSE(execution_context<has_an_executor>);
}

}  // namespace requirements_test
