#include <msgbus/async/consumer.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace execution_contexts_test {

using msgbus::async::consumer;
using msgbus::async::mailbox_options;
using msgbus::async::service;
using msgbus::async::subscriber;
using overrides = std::shared_ptr<msgbus::provider>;

template <class Component, class Context>
void check_that_a_context_will_do(Context& context) {
  const asio::any_io_executor executor = context.get_executor();
  Component plain(context);
  Component with_options(context, {.capacity = 7});
  Component with_overrides(context, std::make_shared<msgbus::provider>());
  Component with_all(context, {.capacity = 7}, std::make_shared<msgbus::provider>());
  CHECK(plain.get_executor() == executor);
  CHECK(with_options.get_executor() == executor);
  CHECK(with_overrides.get_executor() == executor);
  CHECK(with_all.get_executor() == executor);
}

TEST_CASE("a component takes a context where it takes an executor", "[A2]") {
  asio::io_context io;
  asio::thread_pool pool(1);
  msgbus::testing::stepping_context steps;
  check_that_a_context_will_do<consumer>(io);
  check_that_a_context_will_do<consumer>(pool);
  check_that_a_context_will_do<consumer>(steps);
  check_that_a_context_will_do<subscriber>(io);
  check_that_a_context_will_do<subscriber>(pool);
  check_that_a_context_will_do<subscriber>(steps);
  check_that_a_context_will_do<service>(io);
  check_that_a_context_will_do<service>(pool);
  check_that_a_context_will_do<service>(steps);
  pool.join();
}

TEST_CASE("a component made with a context has the options and overrides that come with it") {
  asio::io_context io;
  consumer events(io, {.capacity = 1});
  events.handler([](int) {});
  CHECK(events.post(1).admitted == 1);
  CHECK(events.post(2).rejected == 1);

  const auto naming = [](std::string_view) { return std::string("its-name"); };
  service commands(io, mailbox_options{}, nullptr, naming);
  service shared(io, std::make_shared<msgbus::provider>(), naming);
  CHECK(commands.get_executor() == shared.get_executor());
  io.run();
  CHECK(events.stats().handled == 1);
}

TEST_CASE("handlers of a component made with a context run there", "[A2]") {
  msgbus::testing::stepping_context context;
  consumer events(context);
  int seen = 0;
  events.handler([&](int event) { seen = event; });
  CHECK(events.post(3).admitted == 1);
  CHECK(seen == 0);
  context.run();
  CHECK(seen == 3);
}

// As with Asio's own objects: a context is taken by reference and explicitly, and nothing else that
// has an executor is.
struct has_an_executor {
  asio::io_context::executor_type get_executor();
};
static_assert(std::is_constructible_v<consumer, asio::io_context&>);
static_assert(!std::is_constructible_v<consumer, asio::io_context>);
static_assert(!std::is_constructible_v<consumer, const asio::io_context&>);
static_assert(!std::is_constructible_v<consumer, asio::execution_context&>);
static_assert(!std::is_constructible_v<consumer, has_an_executor&>);
static_assert(!std::is_constructible_v<consumer, asio::steady_timer&>);
static_assert(!std::is_constructible_v<consumer, consumer&> ||
              std::is_copy_constructible_v<consumer>);
static_assert(!std::is_convertible_v<asio::io_context&, consumer>);
static_assert(std::is_constructible_v<consumer, asio::strand<asio::io_context::executor_type>>);
static_assert(std::is_constructible_v<service, asio::thread_pool&, overrides>);
static_assert(!std::is_constructible_v<subscriber, has_an_executor&, overrides>);

TEST_CASE("Asio takes a stepping context as an execution context") {
  msgbus::testing::stepping_context context;
  asio::steady_timer timer(context);
  bool posted = false;
  asio::post(context, [&] { posted = true; });
  CHECK(timer.get_executor() == asio::any_io_executor(context.get_executor()));
  context.run();
  CHECK(posted);
}

}  // namespace execution_contexts_test
