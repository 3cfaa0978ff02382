#include <msgbus/metric_data.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/metrics.hpp>
#include <msgbus/name_of.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace metric_data_test {

using msgbus::metric_data;
using msgbus::metric_kind;
using msgbus::metrics;
using msgbus::async::consumer;

namespace {

struct order {
  int id = 0;
};

const metric_data& named(const std::vector<metric_data>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &metric_data::name);
  REQUIRE(found != all.end());
  return *found;
}

std::string text_of(const metric_data::point& of, const std::string& key) {
  for (const auto& each : of.attributes) {
    if (each.key == key) return std::get<std::string>(each.value);
  }
  return "-";
}

/// The points whose attribute has the value; "-" is none.
std::vector<metric_data::point> with(const metric_data& of, const std::string& key,
                                     const std::string& value) {
  std::vector<metric_data::point> found;
  for (const auto& each : of.points) {
    if (text_of(each, key) == value) found.push_back(each);
  }
  return found;
}

std::int64_t count(const metric_data::point& of) { return std::get<std::int64_t>(of.value); }

std::uint64_t sum_of(const std::vector<std::uint64_t>& buckets) {
  std::uint64_t all = 0;
  for (const auto each : buckets) all += each;
  return all;
}

}  // namespace

TEST_CASE("figures have the names of OpenTelemetry's conventions for messaging") {
  asio::io_context io;
  consumer orders(io, {.capacity = 2, .on_full = msgbus::overflow::reject});
  orders.observe(std::make_shared<msgbus::observer>());
  orders.handler([](const order& event) {
    if (event.id == 2) throw std::runtime_error("no");
  });
  metrics figures;
  figures.add("orders", orders);
  for (int i = 1; i <= 3; ++i) (void)orders.post(order{i});
  io.run();
  const std::vector<metric_data> all = figures.collect();

  const metric_data& took = named(all, "messaging.process.duration");
  CHECK(took.unit == "s");
  CHECK(took.kind == metric_kind::histogram);
  CHECK(took.bounds.front() == 1e-6);
  CHECK(took.bounds.back() == 10);
  REQUIRE(took.points.size() == 2);
  const auto well = with(took, "error.type", "-");
  const auto failed = with(took, "error.type", "_OTHER");
  REQUIRE(well.size() == 1);
  REQUIRE(failed.size() == 1);
  CHECK(sum_of(well[0].buckets) == 1);
  CHECK(sum_of(failed[0].buckets) == 1);
  CHECK(well[0].buckets.size() == took.bounds.size() + 1);
  CHECK(text_of(well[0], "messaging.system") == "msgbus");
  CHECK(text_of(well[0], "messaging.operation.name") == "process");
  CHECK(text_of(well[0], "messaging.destination.name") == msgbus::name_of<order>);
  CHECK(text_of(well[0], "messaging.consumer.group.name") == "orders");

  const metric_data& sent = named(all, "messaging.client.sent.messages");
  CHECK(sent.unit == "{message}");
  CHECK(sent.kind == metric_kind::sum);
  CHECK(count(with(sent, "error.type", "-").at(0)) == 2);
  CHECK(count(with(sent, "error.type", "_OTHER").at(0)) == 1);
  CHECK(text_of(sent.points[0], "messaging.operation.name") == "send");
  const metric_data& consumed = named(all, "messaging.client.consumed.messages");
  CHECK(count(with(consumed, "error.type", "-").at(0)) == 1);
  CHECK(count(with(consumed, "error.type", "_OTHER").at(0)) == 1);

  const metric_data& capacity = named(all, "msgbus.mailbox.capacity");
  CHECK(capacity.kind == metric_kind::gauge);
  CHECK(count(capacity.points.at(0)) == 2);
  CHECK(text_of(capacity.points[0], "msgbus.component") == "orders");
  CHECK(named(all, "msgbus.wait.duration").kind == metric_kind::histogram);
  CHECK(named(all, "msgbus.oldest.waiting").unit == "s");
  const auto has = [&](const std::string& name) {
    return std::ranges::find(all, name, &metric_data::name) != all.end();
  };
  CHECK_FALSE(has("msgbus.handle.duration"));  // it is messaging.process.duration
}

TEST_CASE("counts begin with the program, and values of this moment have no begin", "[O2]") {
  const auto before = std::chrono::system_clock::now();
  asio::io_context io;
  consumer orders(io);
  metrics figures;
  figures.add("orders", orders);
  for (const metric_data& each : figures.collect()) {
    for (const auto& point : each.points) {
      INFO(each.name);
      CHECK(point.since < before);
      CHECK((point.since == std::chrono::system_clock::time_point()) ==
            (each.kind == metric_kind::gauge));
    }
  }
}

TEST_CASE("a kind of metric has a name") {
  std::ostringstream out;
  out << metric_kind::sum << ' ' << metric_kind::gauge << ' ' << metric_kind::histogram;
  CHECK(out.str() == "sum gauge histogram");
}

TEST_CASE("a metric is printed with its name and the number of its points") {
  const msgbus::metric_data one{
      .name = "waiting", .unit = "{message}", .kind = metric_kind::gauge, .points = {{}, {}}};
  CHECK(Catch::Detail::stringify(one) ==
        R"(metric_data{.name = "waiting", .unit = "{message}", .kind = gauge, .points = 2})");
}

}  // namespace metric_data_test
