#pragma once

// A stream on a real NATS server, and pull consumers of it.

#include "support/nats.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace msgbus_test {

using msgbus::transport::pull_options;

inline pull_options pull_billing(std::chrono::steady_clock::duration ack_wait = 30s) {
  pull_options options;
  options.stream = "ORDERS";
  options.durable = "billing";
  options.ack_wait = ack_wait;
  return options;
}

/// A server with a stream, and a transport.
struct with_stream {
  with_stream() { ensure_stream(here, *at, "ORDERS", {"orders.>"}); }

  std::unique_ptr<msgbus::transport::source> pull(std::shared_ptr<delivery_collector> to,
                                                  const pull_options& options = pull_billing()) {
    return here.run(at->pull(options, std::move(to)));
  }

  nats_server server;
  loop here;
  transport_ptr at = connect(here, server);
};

inline std::string payload_of(const delivery_collector::owned& of) { return of->message.payload; }

}  // namespace msgbus_test
