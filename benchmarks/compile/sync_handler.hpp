#pragma once

// A handler with a dependency, and a function that has it called.

#include <msgbus/sync.hpp>

#include "events.hpp"

#define MSGBUS_HANDLER(n)                                                             \
  struct event_##n {                                                                  \
    int id;                                                                           \
    std::string name;                                                                 \
  };                                                                                  \
  void handle_##n(const event_##n& event, msgbus::depends<get_database> db) {         \
    db->insert(event.id, event.name);                                                 \
  }                                                                                   \
  void attach_##n(msgbus::sync::consumer& consumer) { consumer.handler(handle_##n); } \
  void send_##n(msgbus::sync::consumer& consumer) { consumer.consume(event_##n{n, "Alice"}); }
