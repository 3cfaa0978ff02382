#pragma once

// The same without a bus.

#include "events.hpp"
#include "std_headers.hpp"

#define MSGBUS_HANDLER(n)                                                                    \
  struct event_##n {                                                                         \
    int id;                                                                                  \
    std::string name;                                                                        \
  };                                                                                         \
  void handle_##n(const event_##n& event, database& db) { db.insert(event.id, event.name); } \
  void send_##n() { handle_##n(event_##n{n, "Alice"}, get_database()); }
