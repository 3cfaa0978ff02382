#include "monitor/history.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace history_test {

using namespace msgbus::monitoring;
using namespace std::chrono_literals;

namespace {

reading at(duration time, component_reading of) {
  reading made;
  made.at = time_point(5s) + time;
  made.components.push_back(std::move(of));
  return made;
}

component_reading orders(std::uint64_t offered) {
  component_reading made;
  made.stats.name = "orders";
  made.stats.counts.offered = made.stats.counts.accepted = offered;
  return made;
}

}  // namespace

TEST_CASE("rates are those of the last interval, however long that was") {
  history all;
  auto first = all.add(at(0s, orders(1000)));
  CHECK(first.components[0].rates.offered == 0);
  CHECK(first.components[0].is_new);
  CHECK(all.add(at(2s, orders(1100))).components[0].rates.offered == 50);
  CHECK(all.add(at(2500ms, orders(1101))).components[0].rates.offered == 2);
  CHECK(all.add(at(3s, orders(1101))).components[0].rates.offered == 0);
}

TEST_CASE("a component that comes back under its name begins anew") {
  history all;
  (void)all.add(at(0s, orders(1000)));
  const auto again = all.add(at(1s, orders(3)));
  CHECK(again.components[0].is_new);
  CHECK(again.components[0].rates.offered == 0);
  (void)all.add(reading{.at = time_point(8s)});
  CHECK(all.add(at(4s, orders(50))).components[0].is_new);
}

TEST_CASE("a quantile is within the bucket that holds it") {
  duration_figures of;
  CHECK(!quantile(of, 0.5));
  of.buckets[0] = 100;  // up to 1 us
  CHECK(*quantile(of, 0.5) == 500);
  of.buckets[1] = 100;  // up to 2 us
  CHECK(*quantile(of, 0.99) > 1900);
  CHECK(*quantile(of, 0.99) <= 2000);
  of.buckets.back() = 1000;  // longer than 10 s
  CHECK(*quantile(of, 0.5) == 1e10);
  CHECK(longer_than(of, 1000) == 1100);
  CHECK(longer_than(of, 10'000'000'000) == 1000);
}

TEST_CASE("quantiles are of the last minute: what is older does not count") {
  history all;
  component_reading of = orders(0);
  of.waits = {{{"order"}, {}}};
  of.waits[0].times.buckets[20] = 1000;  // before the monitor was made
  (void)all.add(at(0s, of));
  of.waits[0].times.buckets[0] = 10;
  CHECK(all.add(at(1s, of)).components[0].wait.count() == 10);
  figures_now now;
  for (int second = 11; second <= 90; second += 10) now = all.add(at(duration(1s) * second, of));
  CHECK(now.components[0].wait.count() == 0);
}

TEST_CASE("a handler runs for as long as none of its calls has ended") {
  history all;
  component_reading of = orders(0);
  of.handles = {{{"order", "handler of order"}, {}, {2, 1}}};
  auto now = all.add(at(0s, of));
  CHECK(now.components[0].handlers[0].running == 1);
  CHECK(now.components[0].handlers[0].running_for == 0s);
  now = all.add(at(3s, of));
  CHECK(now.components[0].handlers[0].running_for == 3s);
  of.handles[0].calls = {3, 2};
  now = all.add(at(4s, of));
  CHECK(now.components[0].handlers[0].running == 1);
  CHECK(now.components[0].handlers[0].running_for == 0s);
  of.handles[0].calls = {3, 3};
  now = all.add(at(5s, of));
  CHECK(now.components[0].handlers[0].running == 0);
}

TEST_CASE("the context of a strand is that of its inner executor") {
  CHECK(context_of("thread_pool 1") == "thread_pool 1");
  CHECK(context_of("strand of thread_pool 1") == "thread_pool 1");
  CHECK(context_of("strand of strand of io_context 2") == "io_context 2");
}

}  // namespace history_test
