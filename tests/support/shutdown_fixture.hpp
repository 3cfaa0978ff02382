#pragma once

/// What the tests of closing and draining share.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shutdown_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::receipt;
using msgbus::async::consumer;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

struct numbered {
  int n = 0;
};

struct fresh {
  stepping_context context;
  manual_clock clock{context};
  gate open;
  std::vector<int> got;
  std::unique_ptr<consumer> events;

  explicit fresh(msgbus::mailbox_options options = {})
      : events(std::make_unique<consumer>(context.get_executor(), options)) {
    events->handler([this](const numbered& each) -> awaitable<void> {
      co_await open.wait();
      got.push_back(each.n);
    });
  }
};

}  // namespace shutdown_test
