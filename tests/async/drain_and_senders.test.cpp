// A drain that runs out of time while a sender is between its look at the component and its place
// in the mailbox.

#include <msgbus/async/consumer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <future>

namespace drain_and_senders_test {

using asio::awaitable;
using msgbus_test::end_of;
using msgbus_test::event;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct ping {};

}  // namespace

TEST_CASE("a drain without time counts the message of a sender that saw the component open",
          "[A7][A10]") {
  asio::thread_pool pool(2);
  msgbus::async::consumer events(pool.get_executor(), {.concurrency = 2});
  events.handler([](const ping&) -> awaitable<void> { co_return; });
  event sees_it_open, drained;
  events.ordered_by<ping>([&](const ping&) {
    sees_it_open.set();
    drained.wait();
    return 1;
  });
  auto sender = std::async(std::launch::async, [&] { return events.post(ping{}).admitted; });
  sees_it_open.wait();
  const auto report = end_of(asio::co_spawn(pool, events.drain(0s), asio::use_future), "a drain");
  CHECK(report.handled + report.failed + report.abandoned == 0);
  CHECK(is_conserved(events.stats()));
  drained.set();
  const std::size_t admitted = end_of(std::move(sender), "a sender");
  // Its time has passed: the message is abandoned, and counted as such at any time from here on.
  CHECK(is_conserved(events.stats()));
  CHECK(events.stats().accepted == admitted);
  (void)end_of(asio::co_spawn(pool, events.drain(msgbus_test::deadline), asio::use_future),
               "a drain");
  pool.join();
  CHECK(is_conserved(events.stats()));
  CHECK(events.stats().abandoned == admitted);
}

}  // namespace drain_and_senders_test
