#pragma once

// A shop over the memory transport: one process that stores, one that handles, one that looks at
// the dead letters.

#include "support/bridges.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace msgbus_test {

inline msgbus::durable_options billing() {
  using namespace std::chrono_literals;
  msgbus::durable_options how;
  how.stream = "ORDERS";
  how.durable = "billing";
  how.ack_wait = 30s;
  how.max_deliver = 3;
  how.dead_letter = "dead.orders";
  how.backoff = 100ms;
  how.jitter = 0;
  return how;
}

struct shop : neighbourhood {
  msgbus::bridge stores = connect("stores");
  msgbus::bridge handles = connect("handles");
  msgbus::bridge mourns = connect("mourns");

  shop() {
    make_stream("ORDERS", "orders.>");
    make_stream("DEAD", "dead.>");
  }

  void make_stream(std::string name, std::string topic) {
    msgbus::transport::stream_options stream;
    stream.name = std::move(name);
    stream.topics = {std::move(topic)};
    clock.run(steps, stores.ensure_stream(std::move(stream)));
  }

  msgbus::transport::stored store(int number, std::string id = {}) {
    msgbus::store_options how;
    how.message_id = std::move(id);
    return clock.run(steps, stores.store(number, "orders.placed", how));
  }

  msgbus::bridge_link join(msgbus::async::subscriber& to, msgbus::durable_options how = billing()) {
    return clock.run(steps, handles.durable<int>(to, "orders.>", std::move(how)));
  }

  // All that can happen without time passing, and then all that time brings.
  void live(std::chrono::steady_clock::duration how_long = std::chrono::seconds(5)) {
    clock.run_for(steps, how_long);
  }
};

inline bool adds_up(const msgbus::link_counters& all) {
  return all.received == all.admitted + all.undecodable + all.refused &&
         all.received == all.acks + all.naks + all.dead_lettered + all.unsettled + all.in_flight;
}

}  // namespace msgbus_test
