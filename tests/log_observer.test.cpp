#include <msgbus/log_observer.hpp>

#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"
#include "support/stderr_of.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#if __has_include(<spdlog/sinks/ostream_sink.h>)
#define SPDLOG_HEADER_ONLY
#define FMT_HEADER_ONLY
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#endif

namespace log_observer_test {

using msgbus::log_format;
using msgbus::log_level;
using msgbus::log_observer;
using msgbus::log_options;
using msgbus::step;
using namespace std::chrono_literals;

namespace {

struct order {
  int id = 0;
};

/// A log in memory, on a clock that the test moves.
struct written {
  std::vector<std::string> lines;
  std::vector<log_level> levels;
  std::chrono::steady_clock::time_point now{1h};

  std::shared_ptr<log_observer> log(log_options options = {}) {
    options.now = [this] { return now; };
    return std::make_shared<log_observer>(
        [this](log_level level, std::string_view line) {
          levels.push_back(level);
          lines.emplace_back(line);
        },
        options);
  }
};

const std::exception_ptr no_disk = std::make_exception_ptr(std::runtime_error("no disk"));
const step paid{"paid", "orders.eu", "audit"};

}  // namespace

TEST_CASE("an event of interest is one line of keys and values") {
  written to;
  const auto log = to.log();
  log->accepted(paid);
  log->delivered(paid);
  log->failed(paid, no_disk);
  log->overran({"paid", ""}, 1500ms);
  log->dropped(paid);
  log->abandoned(paid);
  log->unrouted(paid);
  log->rejected(paid);
  log->breaker_changed("bank", "open");
  log->connection_changed("shop", "reconnected", "to nats://a:4222");
  const std::string tail = " component=audit message=paid topic=orders.eu";
  CHECK(to.lines == std::vector<std::string>{"event=failed" + tail + " error=\"no disk\"",
                                             "event=overran message=paid took=1500ms",
                                             "event=dropped" + tail, "event=abandoned" + tail,
                                             "event=unrouted" + tail, "event=rejected" + tail,
                                             "event=breaker breaker=bank state=open",
                                             "event=connection connection=shop state=reconnected "
                                             "text=\"to nats://a:4222\""});
  CHECK(to.levels.front() == log_level::error);
  CHECK(to.levels.back() == log_level::info);
}

TEST_CASE("a line may be JSON") {
  written to;
  const auto log = to.log({.format = log_format::json});
  log->failed({"a \"b\"", "", "x\n"}, no_disk);
  REQUIRE(to.lines.size() == 1);
  CHECK(to.lines[0] ==
        R"({"event":"failed","component":"x\u000a","message":"a \"b\"","error":"no disk"})");
}

TEST_CASE(
    "each kind of event has a limit of its own, and the next line has the number of missing "
    "lines") {
  written to;
  auto log = to.log({.lines = 2, .per = 1s});
  for (int i = 0; i < 5; ++i) log->dropped({"a", ""});
  log->unrouted({"b", ""});
  CHECK(to.lines == std::vector<std::string>{"event=dropped message=a", "event=dropped message=a",
                                             "event=unrouted message=b"});
  to.now += 1s;
  log->dropped({"a", ""});
  CHECK(to.lines.back() == "event=dropped message=a left_out=3");
  for (int i = 0; i < 3; ++i) log->dropped({"a", ""});
  log.reset();
  CHECK(to.lines.back() == "event=dropped left_out=2");
}

TEST_CASE("a log gets the exceptions of a component's handlers, and the component goes on") {
  written to;
  msgbus::sync::consumer events;
  events.handler([](const order&) { throw std::runtime_error("no disk"); });
  events.observe(to.log());
  CHECK_THROWS(events.consume(order{1}));
  REQUIRE(to.lines.size() == 1);
  CHECK(to.lines[0].find("error=\"no disk\"") != std::string::npos);
}

TEST_CASE("an exception of a writer is one line on stderr, and the next line is written") {
  int calls = 0;
  log_observer log([&](log_level, std::string_view) {
    if (++calls == 1) throw std::runtime_error("log is full");
  });
  const std::string said = msgbus_test::stderr_of([&] { log.dropped(paid); });
  CHECK(said.find("the writer of a log_observer") != std::string::npos);
  CHECK(said.find("log is full") != std::string::npos);
  log.dropped(paid);
  CHECK(calls == 2);
}

TEST_CASE("an object with info, warn and error is a log, such as that of spdlog") {
  struct logger {
    std::vector<std::string> all;
    void info(std::string_view line) { all.push_back("I " + std::string(line)); }
    void warn(std::string_view line) { all.push_back("W " + std::string(line)); }
    void error(std::string_view line) { all.push_back("E " + std::string(line)); }
  };
  auto to = std::make_shared<logger>();
  log_observer log(msgbus::log_to(to));
  log.unrouted({"a", ""});
  log.dropped({"a", ""});
  log.failed({"a", ""}, no_disk);
  CHECK(to->all == std::vector<std::string>{"I event=unrouted message=a",
                                            "W event=dropped message=a",
                                            "E event=failed message=a error=\"no disk\""});
}

#ifdef SPDLOG_HEADER_ONLY
TEST_CASE("lines go to a logger of spdlog with their level, and braces in them are text") {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>(
      "bus", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->set_pattern("%l %v");
  log_observer log(msgbus::log_to(logger));
  log.dropped({"a{}b", ""});
  CHECK(out.str() == "warning event=dropped message=\"a{}b\"\n");
}
#endif

TEST_CASE("levels and forms of a log are printed by their names") {
  using msgbus::log_format, msgbus::log_level;
  CHECK(Catch::Detail::stringify(std::vector{log_level::info, log_level::warning,
                                             log_level::error}) == "{ info, warning, error }");
  CHECK(Catch::Detail::stringify(std::vector{log_format::key_value, log_format::json}) ==
        "{ key_value, json }");
}

}  // namespace log_observer_test
