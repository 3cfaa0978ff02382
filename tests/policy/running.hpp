#pragma once

// What tests of running policies have in common.

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
#include <stdexcept>
#include <string>
#include <vector>

namespace msgbus_test {

struct placed {
  int id = 0;
};

/// A consumer on the manual clock.
struct running {
  explicit running(msgbus::async::mailbox_options options = {})
      : events(context.get_executor(), options) {}

  std::size_t consume(int id = 0) { return clock.run(context, events.consume(placed{id})); }
  void post(int first, int last) {
    for (int id = first; id <= last; ++id) (void)events.post(placed{id});
  }
  void pass(std::chrono::steady_clock::duration time) { clock.run_for(context, time); }
  [[nodiscard]] std::chrono::steady_clock::duration since_start() const {
    return clock.now() - start;
  }

  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock{context};
  const std::chrono::steady_clock::time_point start = clock.now();
  msgbus::async::consumer events;
};

}  // namespace msgbus_test
