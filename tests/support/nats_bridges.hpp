#pragma once

// Bridges over a real NATS server, as in several processes, on one loop.

#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/nats/connect.hpp>

#include "support/awaiting.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace msgbus_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::errc;
using msgbus::remote_service;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;

/// Connects a bridge. Its failures without a caller are added to `failures`.
inline bridge join(loop& in, const nats_server& to, std::vector<std::string>* failures = nullptr) {
  msgbus::nats::options options;
  options.url = to.url();
  msgbus::bridge_options bridging;
  bridging.on_failure = [failures](std::string_view where, const std::exception_ptr& failure) {
    if (failures) failures->push_back(std::string(where) + ": " + msgbus::describe(failure));
  };
  return in.run(msgbus::nats::connect(in.executor(), options, bridging));
}

inline msgbus::durable_options billing_durable() {
  msgbus::durable_options options;
  options.stream = "ORDERS";
  options.durable = "billing";
  options.ack_wait = 2s;
  options.max_deliver = 0;
  options.backoff = 20ms;
  return options;
}

inline void make_stream(loop& in, bridge& at, const std::string& name, const std::string& topic) {
  msgbus::transport::stream_options stream;
  stream.name = name;
  stream.topics = {topic};
  in.run(at.ensure_stream(stream));
}

inline std::string id_of(int number) { return "order-" + std::to_string(number); }

/// Stores the number at "orders.placed", with its id.
inline awaitable<void> store_one(bridge& at, int number) {
  msgbus::store_options options;
  options.message_id = id_of(number);
  options.timeout = time_limit;
  (void)co_await at.store(number, "orders.placed", options);
}

}  // namespace msgbus_test
