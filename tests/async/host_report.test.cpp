#include <msgbus/async/host_report.hpp>

#include "support/catch.hpp"

#include <sstream>
#include <stdexcept>

namespace host_report_test {

using namespace msgbus::async;
using namespace std::chrono_literals;

namespace {

host_report two() {
  host_report all;
  component_report first;
  first.name = "orders";
  first.kind = "service";
  first.report.handled = 2;
  component_report second;
  second.name = "audit";
  second.kind = "consumer";
  second.report.failed = 1;
  all.components = {first, second};
  all.took = 1500ms;
  return all;
}

}  // namespace

TEST_CASE("a host's report sums up its components") {
  host_report all = two();
  CHECK(all.total().handled == 2);
  CHECK(all.total().failed == 1);
  CHECK(all.complete());
  all.components[1].report.abandoned = 3;
  CHECK(all.total().abandoned == 3);
  CHECK_FALSE(all.complete());
  all = two();
  all.components[0].failure = std::make_exception_ptr(std::runtime_error("no"));
  CHECK_FALSE(all.complete());
}

TEST_CASE("reports and figures of a host are printed with their members") {
  std::ostringstream out;
  host_report all = two();
  all.components.resize(1);
  all.components[0].failure = std::make_exception_ptr(std::runtime_error("no disk"));
  out << all;
  CHECK(out.str() ==
        R"(host_report{.components = {component_report{.name = "orders", .kind = "service", )"
        R"(.report = drain_report{.handled = 2, .failed = 0, .abandoned = 0}, .destroyed = false, )"
        R"(.failure = "no disk"}}, .took = 1500ms, .at_once = false})");
  std::ostringstream figures;
  component_stats stats;
  stats.name = "audit";
  stats.waiting = 7;
  figures << stats;
  CHECK(figures.str().starts_with(R"(component_stats{.name = "audit", .kind = "", .counts = )"));
  CHECK(figures.str().ends_with(R"(.waiting = 7, .capacity = 0, .in_flight = 0})"));
}

TEST_CASE("run options are trivially destructible, so g++ 12 takes them in an awaiting line") {
  STATIC_REQUIRE(std::is_trivially_destructible_v<run_options>);
}

}  // namespace host_report_test
