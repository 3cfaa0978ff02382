#include <msgbus/metrics.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/error.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"
#include "support/run_with.hpp"
#include "support/thrown.hpp"

#include <asio/io_context.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef MSGBUS_PROMTOOL
#include <sys/wait.h>
#endif

namespace metrics_test {

using msgbus::circuit_breaker;
using msgbus::errc;
using msgbus::metrics;
using msgbus::async::consumer;
using msgbus_test::code_of;

namespace {

struct order {
  int id = 0;
};

/// A host with one component that has handled, failed and rejected something.
struct shop {
  asio::io_context io;
  std::optional<consumer> orders;
  msgbus::async::host all{io};

  explicit shop(const std::string& name = "orders") {
    orders.emplace(io, msgbus::mailbox_options{.capacity = 2});
    orders->observe(std::make_shared<msgbus::observer>());
    orders->handler([](const order& event) {
      if (event.id == 2) throw std::runtime_error("no");
    });
    for (int i = 1; i <= 3; ++i) (void)orders->post(order{i});
    io.run();
    (void)orders->post(order{4});
    all.add(name, *orders);
  }
};

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("the counts of a host's components are text for Prometheus") {
  shop s;
  const std::string text = metrics(s.all).prometheus();
  CHECK(has(text, "# TYPE msgbus_handled_messages_total counter"));
  const std::string of = R"({component="orders",kind="consumer")";
  CHECK(has(text, "msgbus_offered_messages_total" + of + "} 4"));
  CHECK(has(text, "msgbus_rejected_messages_total" + of + "} 1"));
  CHECK(has(text, "msgbus_handled_messages_total" + of + R"(,outcome="handled"} 1)"));
  CHECK(has(text, "msgbus_handled_messages_total" + of + R"(,outcome="failed"} 1)"));
  CHECK(has(text, "# TYPE msgbus_mailbox_messages gauge"));
  CHECK(has(text, "msgbus_mailbox_messages" + of + "} 1"));
  CHECK(has(text, "msgbus_mailbox_capacity" + of + "} 2"));
  CHECK(has(text, "msgbus_in_flight" + of + "} 0"));
  CHECK(text.ends_with("\n"));
}

TEST_CASE("in OpenMetrics a counter is named without its suffix, and the text has an end") {
  shop s;
  const std::string text = metrics(s.all).openmetrics();
  CHECK(has(text, "# TYPE msgbus_offered_messages counter"));
  CHECK(has(text, R"(msgbus_offered_messages_total{component="orders",kind="consumer"} 4)"));
  CHECK(text.ends_with("\n# EOF\n"));
}

TEST_CASE("the figures are one JSON object") {
  shop s;
  metrics figures(s.all, {.times = false});
  figures.add(std::make_shared<circuit_breaker>(msgbus::breaker_options{.name = "bank"}));
  figures.add("calls", std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1}));
  figures.add("given up", std::make_shared<msgbus::async::dead_letters>());
  CHECK(figures.json() ==
        R"({"components":[{"name":"orders","kind":"consumer","offered":4,"accepted":3,)"
        R"("rejected":1,"handled":1,"failed":1,"dropped":0,"abandoned":0,"unrouted":0,)"
        R"("overran":0,"waiting":1,"capacity":2,"in_flight":0,"scheduled":0}],)"
        R"("breakers":[{"name":"bank","state":"closed"}],"links":[],)"
        R"("limiters":[{"name":"calls","waiting":0}],)"
        R"("dead_letters":[{"name":"given up","size":0,"added":0,"replayed":0,"discarded":0,)"
        R"("dropped":0}]})");
}

TEST_CASE("a breaker has one state that is 1") {
  metrics figures;
  auto bank = std::make_shared<circuit_breaker>(msgbus::breaker_options{.name = "bank"});
  figures.add(bank);
  bank->isolate();
  const std::string text = figures.prometheus();
  CHECK(has(text, R"(msgbus_breaker_state{breaker="bank",state="isolated"} 1)"));
  CHECK(has(text, R"(msgbus_breaker_state{breaker="bank",state="closed"} 0)"));
  CHECK(has(text, R"(msgbus_breaker_state{breaker="bank",state="half_open"} 0)"));
}

TEST_CASE("a name is one label, whatever bytes it holds", "[O3]") {
  shop s("a\"b\\c\nd\xff");
  const std::string text = metrics(s.all).prometheus();
  CHECK(text.find("{component=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\",kind=") != std::string::npos);
}

TEST_CASE("a component that was destroyed is left out, and a host may go first") {
  shop s;
  std::optional<msgbus::async::host> host(std::in_place, s.io);
  consumer other(s.io);
  host->add("orders", *s.orders);
  host->add("other", other);
  const metrics figures(*host);
  host.reset();
  s.orders.reset();
  s.io.restart();
  s.io.run();  // its loop lets go of it
  const std::string text = figures.prometheus();
  CHECK(text.find("\"orders\"") == std::string::npos);
  CHECK(text.find("\"other\"") != std::string::npos);
}

TEST_CASE("components without a host have a name here, once") {
  asio::io_context io;
  consumer one(io), two(io);
  metrics figures;
  figures.add("one", one);
  CHECK(code_of([&] { figures.add("one", two); }) == errc::bad_arguments);
  CHECK(code_of([&] { figures.add("", two); }) == errc::bad_arguments);
  CHECK(code_of([&] { figures.add(std::shared_ptr<circuit_breaker>()); }) == errc::bad_arguments);
  CHECK(figures.prometheus().find("component=\"one\"") != std::string::npos);
}

TEST_CASE("limiters and dead letters have a name here, and are shown") {
  metrics figures;
  const auto limiter = std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1});
  figures.add("calls", limiter);
  CHECK(code_of([&] { figures.add("calls", limiter); }) == errc::bad_arguments);
  CHECK(code_of([&] { figures.add("", limiter); }) == errc::bad_arguments);
  CHECK(code_of([&] { figures.add("x", std::shared_ptr<msgbus::rate_limiter>()); }) ==
        errc::bad_arguments);
  asio::io_context io;
  consumer orders(io);
  const auto letters = std::make_shared<msgbus::async::dead_letters>();
  figures.add("given up", letters);
  orders.handler([](const order&) { throw std::runtime_error("no"); }, {.dead_letters = letters});
  orders.observe(std::make_shared<msgbus::observer>());
  (void)orders.post(order{1});
  io.run();
  letters->discard();
  const std::string text = figures.prometheus();
  CHECK(has(text, R"(msgbus_limiter_waiting_messages{limiter="calls"} 0)"));
  CHECK(has(text, R"(msgbus_dead_letters{letters="given up"} 0)"));
  const std::string of = R"(msgbus_dead_letter_messages_total{letters="given up",outcome=)";
  CHECK(has(text, of + R"("added"} 1)"));
  CHECK(has(text, of + R"("discarded"} 1)"));
}

TEST_CASE("components of the sync family are counted by an observer, which has a name here") {
  const auto counts = std::make_shared<msgbus::counting_observer>();
  msgbus::sync::consumer orders;
  orders.observe(counts);
  orders.handler([](const order& event) {
    if (event.id == 2) throw std::runtime_error("no");
  });
  metrics figures;
  figures.add("orders", counts);
  CHECK(code_of([&] { figures.add("orders", counts); }) == errc::bad_arguments);
  orders.consume(order{1});
  CHECK_THROWS(orders.consume(order{2}));
  orders.consume('x');
  const std::string text = figures.prometheus();
  const std::string of = R"(msgbus_observed_steps_total{observer="orders",step=)";
  CHECK(has(text, of + R"("delivered"} 1)"));
  CHECK(has(text, of + R"("failed"} 1)"));
  CHECK(has(text, of + R"("unrouted"} 1)"));
  const std::string json = figures.json();
  CHECK(json.find(R"("observers":[{"name":"orders","accepted":)") != std::string::npos);
  CHECK(json.ends_with(R"("delivered":1,"failed":1,"overran":0,"dropped":0,"unrouted":1,)"
                       R"("abandoned":0}]})"));
}

TEST_CASE("a thousand components are read, each under its name", "[O2]") {
  asio::io_context io;
  std::vector<std::unique_ptr<consumer>> all;
  msgbus::async::host host(io);
  for (int i = 0; i < 1000; ++i) {
    all.push_back(std::make_unique<consumer>(io));
    all.back()->handler([](const order&) {});
    host.add("component " + std::to_string(i), *all.back());
  }
  const metrics figures(host);
  (void)all[999]->post(order{1});
  io.run();
  const std::string text = figures.openmetrics();
  CHECK(has(text, R"(msgbus_handled_messages_total{component="component 999",kind="consumer",)"
                  R"(outcome="handled"} 1)"));
  CHECK(has(text, R"(msgbus_mailbox_messages{component="component 0",kind="consumer"} 0)"));
  CHECK(figures.collect().front().points.size() == 2000);
  CHECK(figures.json().find(R"("name":"component 500")") != std::string::npos);
}

TEST_CASE("times are histograms in seconds, with buckets that add up") {
  shop s;
  const metrics figures(s.all);
  s.io.restart();
  s.io.run();
  (void)s.orders->post(order{5});
  s.io.restart();
  s.io.run();
  const std::string text = figures.openmetrics();
  CHECK(has(text, "# TYPE msgbus_handle_duration_seconds histogram"));
  CHECK(has(text, "# UNIT msgbus_handle_duration_seconds seconds"));
  CHECK(has(text, R"(msgbus_oldest_waiting_seconds{component="orders",kind="consumer"} 0)"));
  const std::string message(msgbus::name_of<order>);
  const std::string of =
      R"(msgbus_handle_duration_seconds_bucket{component="orders",kind="consumer",message=")" +
      message + R"(",handler="handler of )" + message + R"(",le=)";
  CHECK(text.find(of + R"("1e-06"})") != std::string::npos);
  CHECK(text.find(of + R"("0.0001"})") != std::string::npos);
  CHECK(has(text, of + R"("10.0"} 1)"));
  CHECK(has(text, of + R"("+Inf"} 1)"));
  CHECK(text.find("msgbus_wait_duration_seconds_count{component=\"orders\",kind=\"consumer\","
                  "message=\"" +
                  message + "\"} 1\n") != std::string::npos);
}

#ifdef MSGBUS_PROMTOOL
TEST_CASE("promtool finds nothing wrong with the text for Prometheus", "[O3]") {
  shop s("odd \"name\" \\ \n \xff");
  metrics figures(s.all);
  figures.add(std::make_shared<circuit_breaker>(msgbus::breaker_options{.name = "bank"}));
  figures.add("calls", std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1}));
  figures.add("given up", std::make_shared<msgbus::async::dead_letters>());
  s.io.restart();
  s.io.run();
  (void)s.orders->post(order{5});
  s.io.restart();
  s.io.run();  // with times
  CHECK(msgbus_test::run_with(MSGBUS_PROMTOOL " check metrics 2>&1 1>&2", figures.prometheus()) ==
        0);
}
#endif

}  // namespace metrics_test
