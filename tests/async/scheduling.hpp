#pragma once

// What tests of messages that are sent later have in common.

#include <msgbus/async.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/stderr_of.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace msgbus_test {

struct numbered_event {
  int n = 0;
};

/// A consumer on the manual clock, and what it has handled when.
struct scheduling {
  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock{context};
  std::vector<int> got;
  std::vector<std::chrono::milliseconds> at;  // since the beginning
  std::chrono::steady_clock::time_point begun = clock.now();
  msgbus::testing::probe watching;
  std::optional<msgbus::async::consumer> events;

  explicit scheduling(msgbus::mailbox_options options = {}) {
    events.emplace(context.get_executor(), options);
    events->observe(watching);
  }
  void handle() {
    events->handler([this](const numbered_event& each) { note(each); });
  }
  /// Handlers wait for the gate.
  void handle(const gate& open) {
    events->handler([this, open](const numbered_event& each) -> asio::awaitable<void> {
      co_await open.wait();
      note(each);
    });
  }
  void note(const numbered_event& each) {
    got.push_back(each.n);
    at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - begun));
  }
  void pass(std::chrono::steady_clock::duration time) { clock.run_for(context, time); }
};

}  // namespace msgbus_test
