// Links and remote services over a real server.

#include "support/nats_bridges.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridge_links_test {

using namespace msgbus_test;

TEST_CASE("components of two processes exchange messages over a real server", "[B1][B7]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  // given: an outbound and an inbound link
  publisher orders;
  subscriber parcels(here.executor());
  std::vector<std::string> got;
  parcels.subscribe("orders.*", [&](const std::string& text, const context& ctx) {
    got.push_back(std::string(ctx.topic()) + " " + text +
                  (ctx.message_id() == ctx.correlation_id() ? "" : "?"));
  });
  back.inbound<std::string>(parcels, "orders.>");
  front.outbound<std::string>(orders, "orders.>");
  here.run(back.flush());
  // when: messages are published and posted in one process
  std::string tea("tea");
  here.run(orders.publish(tea, "orders.placed"));
  (void)orders.post(std::string("cups"), "orders.paid");
  // then: they arrive in the other one, with topics and ids
  here.run_until([&] { return got.size() == 2; });
  CHECK(got == std::vector<std::string>{"orders.placed tea", "orders.paid cups"});
  here.run(front.drain(5s));
  here.run(back.drain(5s));
}

TEST_CASE("commands and their errors cross a real server, and other tools discover the service",
          "[B6]") {
  nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  // given: a service that serves an operation
  service users(here.executor());
  auto divide = users.handler("divide", [](int a, int b) {
    if (b == 0) throw std::domain_error("by zero");
    return a / b;
  });
  msgbus::serve_options options;
  options.name = "calculator";
  back.serve("calc", options, divide);
  here.run(back.flush());
  // then: calls return results and errors
  remote_service remote(front, "calc");
  CHECK(here.run(remote.execute<int>("divide", 7, 2)) == 3);
  const auto failure =
      caught<msgbus::remote_error>([&] { (void)here.run(remote.execute<int>("divide", 7, 0)); });
  CHECK(failure.kind() == "std::domain_error");
  CHECK(failure.text() == "by zero");
  CHECK(code_of([&] { here.run(remote.execute("multiply", 1, 2)); }) == errc::no_handler);
  CHECK(code_of([&] { here.run(remote.execute("divide", 1)); }) == errc::bad_arguments);
  // then: discovery reports the calls
  const remote_service discovery(front, "$SRV");
  const auto stats = here.run(discovery.execute<nlohmann::json>("STATS.calculator"));
  CHECK(stats["endpoints"][0]["num_requests"] == 3);
  CHECK(stats["endpoints"][0]["num_errors"] == 2);
}

TEST_CASE("a burst is handled with the smallest buffers, and nothing waits for ever", "[B1]") {
  constexpr int many = 400;
  nats_server server;
  loop here;
  bridge from_there = join(here, server);
  bridge to_here = join(here, server);
  // given: a mailbox and a link buffer for one message each
  publisher orders;
  subscriber to(here.executor(), {.capacity = 1});
  std::vector<int> seen;
  to.subscribe("orders", [&](int number) { seen.push_back(number); });
  msgbus::inbound_options little;
  little.buffer = 1;
  bridge_link in = to_here.inbound<int>(to, "orders", little);
  from_there.outbound<int>(orders, "orders");
  here.run(to_here.flush());
  // when: many messages are posted at once
  for (int i = 0; i < many; ++i) (void)orders.post(i, "orders");
  // then: all arrive, in order
  here.run_until([&] { return seen.size() == many; });
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(in.stats().dropped == 0);
}

TEST_CASE("a handler gets the stream position of its message on a real server", "[B2]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  for (int i = 0; i < 2; ++i) here.run(store_one(at, i));
  subscriber to(here.executor());
  std::vector<std::string> places;
  to.subscribe("orders.*", [&](int, const context& ctx) {
    const auto place = ctx.stored();
    places.push_back(place ? std::string(place->stream) + ' ' + std::to_string(place->sequence)
                           : std::string("nowhere"));
  });
  bridge_link in = here.run(at.durable<int>(to, "orders.>", billing_durable()));
  here.run_until([&] { return places.size() == 2; });
  CHECK(places == std::vector<std::string>{"ORDERS 1", "ORDERS 2"});
}

TEST_CASE("a message that is too large for the server is an error for its caller, at once",
          "[B6]") {
  const nats_server server;
  loop here;
  std::vector<std::string> failures;
  bridge front = join(here, server);
  bridge back = join(here, server, &failures);
  // given: operations with large results, arguments and descriptions
  service commands(here.executor());
  auto report = commands.handler("report", [](std::size_t n) { return std::string(n, 'x'); });
  auto note = commands.handler("note", [](const std::string&) {});
  msgbus::serve_options options;
  options.name = "reports";
  options.description.assign(std::size_t{1} << 20, 'x');
  auto served = back.serve("reports", options, report, note);
  here.run(back.flush());
  // A missing reply fails the test: the deadline of `run` is shorter.
  const remote_service reports(front, "reports", {.timeout = 2 * time_limit});
  const remote_service discovery(front, "$SRV", {.timeout = 2 * time_limit});
  const auto refused = [&](awaitable<std::string> call) {
    return msgbus::describe(thrown_by([&] { here.run(std::move(call)); }));
  };
  // then: each call that is too large ends with an error
  CHECK(here.run(reports.execute<std::string>("report", 1000)).size() == 1000);
  CHECK_THAT(refused(reports.execute<std::string>("report", 1 << 20)),
             contains("the result of operation 'report' cannot be sent: "));
  CHECK_THAT(refused(discovery.execute<std::string>("INFO.reports")),
             contains("the reply to a discovery request cannot be sent: "));
  CHECK_THAT(refused(reports.execute<std::string>("note", std::string(1 << 20, 'x'))),
             contains("1048576 at most"));
  CHECK(served.stats().unsent == 2);
  CHECK(failures.size() == 2);
}

}  // namespace bridge_links_test
