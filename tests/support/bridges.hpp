#pragma once

// Bridges of several processes in one, over the memory transport, on one stepping context.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/error.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>
#include <msgbus/transport/memory.hpp>

#include <string>
#include <utility>
#include <vector>

namespace msgbus_test {

/// What links could tell nobody else.
struct failures_told {
  std::vector<std::string> all;  // "where: what"

  [[nodiscard]] msgbus::bridge_options to_here() {
    return {.on_failure = [this](std::string_view where, const std::exception_ptr& what) {
      all.push_back(std::string(where) + ": " + msgbus::describe(what));
    }};
  }
};

/// The broker between them, and time, which stands still unless it is moved.
struct neighbourhood {
  msgbus::testing::stepping_context steps;
  msgbus::testing::manual_clock clock{steps};
  msgbus::memory_broker broker;
  failures_told told;

  [[nodiscard]] msgbus::bridge connect(std::string name = {}) {
    msgbus::memory_options how;
    how.name = std::move(name);
    return connect(how);
  }
  [[nodiscard]] msgbus::bridge connect(const msgbus::memory_options& how) {
    return msgbus::bridge(broker.connect(steps.get_executor(), how), told.to_here());
  }

  [[nodiscard]] asio::any_io_executor executor() { return steps.get_executor(); }
};

}  // namespace msgbus_test
