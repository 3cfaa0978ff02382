#pragma once

/// What the tests of hosts share.

#include <msgbus/async/host.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/shielded.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/error.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace host_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::errc;
using msgbus::async::component_report;
using msgbus::async::consumer;
using msgbus::async::drain_all;
using msgbus::async::host;
using msgbus::async::host_report;
using msgbus::async::run_options;
using msgbus::testing::manual_clock;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using msgbus_test::text_of;
using namespace std::chrono_literals;

struct placed {
  int order = 0;
};
struct stored {
  int order = 0;
};

/// Orders flow from `first` to `second`.
struct flow {
  stepping_context context;
  manual_clock clock{context};
  gate open;
  std::vector<int> got;
  std::optional<consumer> second{context};
  std::optional<consumer> first{context};
  host all{context};

  flow() {
    first->handler([this](const placed& event) -> awaitable<void> {
      co_await open.wait();
      stored next{event.order};
      (void)co_await second->send(next);
    });
    second->handler([this](const stored& event) { got.push_back(event.order); });
    all.add("first", *first);
    all.add("second", *second);
  }

  spawned<host_report> run(std::chrono::steady_clock::duration deadline = 10s) {
    run_options options;
    options.deadline = deadline;
    return context.spawn(all.run(options));
  }
};

class listener {
 public:
  explicit listener(std::vector<std::string>& log) : log_(log) {}
  void close() { log_.push_back("listener closed"); }
  awaitable<drain_report> drain(std::chrono::steady_clock::duration left) {
    log_.push_back("listener drained within " +
                   std::to_string(std::chrono::duration_cast<std::chrono::seconds>(left).count()));
    drain_report report;
    report.handled = 7;
    co_return report;
  }

 private:
  std::vector<std::string>& log_;
};

}  // namespace host_test
