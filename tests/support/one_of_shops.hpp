#pragma once

// Consumers of which a producer's messages go to one each.

#include <msgbus/async.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace msgbus_test {

struct shop_order {
  int account = 0;
  int number = 0;
};

/// Three consumers that record what they handle, each after a time of its own.
struct shops {
  explicit shops(msgbus::async::mailbox_options options = {},
                 std::optional<msgbus::pick_options> how = msgbus::pick_options{}) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].emplace(context.get_executor(), options);
      all[i]->observe(watching);
      all[i]->handler([this, i](const shop_order& o) -> asio::awaitable<void> {
        if (takes[i] != takes[i].zero()) co_await msgbus::exec::sleep(takes[i]);
        seen[i].push_back(o);
      });
    }
    if (how) orders.bind_one_of(*all[0], *all[1], *all[2], *how);
  }
  msgbus::receipt post(int account = 0, int number = 0) {
    return orders.post(shop_order{account, number});
  }
  [[nodiscard]] std::array<std::size_t, 3> counts() const {
    return {seen[0].size(), seen[1].size(), seen[2].size()};
  }
  [[nodiscard]] std::array<std::size_t, 3> waiting() const {
    return {all[0]->waiting(), all[1]->waiting(), all[2]->waiting()};
  }
  void pass(std::chrono::steady_clock::duration time) { clock.run_for(context, time); }
  [[nodiscard]] std::uint64_t rejected() const {
    return all[0]->stats().rejected + all[1]->stats().rejected + all[2]->stats().rejected;
  }
  void check() const {
    for (const auto& each : all) REQUIRE((!each || msgbus_test::is_conserved(each->stats())));
  }

  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock{context};
  msgbus::testing::probe watching;
  std::array<std::chrono::steady_clock::duration, 3> takes{};
  std::array<std::vector<shop_order>, 3> seen;
  std::array<std::optional<msgbus::async::consumer>, 3> all;
  msgbus::async::producer orders;
};

}  // namespace msgbus_test
