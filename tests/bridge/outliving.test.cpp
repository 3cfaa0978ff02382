// A bridge, its links and the components that they feed outlive the execution context (A12), and
// keep no executor of it: the strand of an executor must not outlive the context.

#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"
#include "support/watched_executor.hpp"

#include <msgbus/async.hpp>

#include <asio/strand.hpp>

#include <memory>
#include <optional>
#include <string>

namespace outliving_test {

using msgbus::testing::stepping_context;
using msgbus_test::watched_executor;
using namespace std::chrono_literals;

namespace {

/// One process: a bridge with a link of each kind.
struct process {
  process(const msgbus::memory_broker& broker, const asio::any_io_executor& on)
      : bridge(broker.connect(on)), news(on), orders(on), users(on) {
    from.bind(news);
    news.subscribe("in", [](const std::string&) {});
    orders.subscribe("orders.>", [](const std::string&) {});
    auto remove = users.handler("remove", [](int id) { return id; });
    (void)bridge.outbound<std::string>(from, "out");
    (void)bridge.inbound<std::string>(news, "in");
    (void)bridge.serve("users", remove);
  }

  asio::awaitable<void> make_durable() {
    msgbus::transport::stream_options stream;
    stream.name = "orders";
    stream.topics.push_back("orders.>");
    auto made = bridge.ensure_stream(std::move(stream));
    co_await std::move(made);
    msgbus::durable_options how;
    how.stream = "orders";
    how.durable = "worker";
    auto link = bridge.durable<std::string>(orders, "orders.>", std::move(how));
    (void)co_await std::move(link);
    auto stored = bridge.store(std::string("tea"), "orders.paid");
    (void)co_await std::move(stored);
  }

  msgbus::bridge bridge;
  msgbus::async::publisher from;
  msgbus::async::subscriber news, orders;
  msgbus::async::service users;
};

}  // namespace

TEST_CASE("a bridge outlives its context, and keeps no executor of it", "[A12][B8]") {
  for (const int steps : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1000}) {
    const msgbus::memory_broker broker;
    std::optional<stepping_context> context(std::in_place);
    std::weak_ptr<void> copies;
    std::unique_ptr<process> all;
    {
      const auto watched = watched_executor::over(context->get_executor());
      copies = watched.copies();
      all = std::make_unique<process>(broker, asio::make_strand(watched));
    }
    (void)context->spawn(all->make_durable());
    for (int i = 0; i < steps && context->step(); ++i) {
    }
    (void)all->from.post(std::string("hello"), "out");
    CHECK_FALSE(copies.expired());
    context.reset();
    CHECK(copies.expired());
    CHECK_FALSE(all->bridge.get_executor());
    CHECK(all->from.post(std::string("hello"), "out").admitted == 0);
    CHECK(msgbus_test::text_of([&] { (void)all->bridge.inbound<int>(all->news, "later"); }) != "");
    all->bridge.close();
  }
}

}  // namespace outliving_test
