#pragma once

// A memory broker with a stream, and two connections on a context whose time stands still.

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>
#include <msgbus/transport/memory.hpp>

#include "support/transports.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace msgbus_test {

inline msgbus::transport::stream_options orders_stream() {
  msgbus::transport::stream_options options;
  options.name = "ORDERS";
  options.topics = {"orders.>"};
  return options;
}

inline msgbus::transport::pull_options billing_pull() {
  msgbus::transport::pull_options options;
  options.stream = "ORDERS";
  options.durable = "billing";
  return options;
}

struct memory_fixture {
  using connection = std::shared_ptr<msgbus::transport::transport>;

  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock{context};
  msgbus::memory_broker broker;
  connection front = broker.connect(context.get_executor());
  connection back = broker.connect(context.get_executor());

  memory_fixture() { context.run(front->ensure_stream(orders_stream())); }

  void store(const std::string& payload) {
    (void)context.run(
        front->store(made("orders.placed", payload, "id-" + payload), std::chrono::seconds(1)));
  }
  std::unique_ptr<msgbus::transport::source> pull(const connection& at,
                                                  const std::shared_ptr<kept_deliveries>& to) {
    return context.run(at->pull(billing_pull(), to));
  }
};

}  // namespace msgbus_test
