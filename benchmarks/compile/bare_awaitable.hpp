#pragma once

// The same without a bus. The event is passed by value, as to `consume`: its awaitable can be kept.

#include "asio_headers.hpp"
#include "events.hpp"

#define MSGBUS_HANDLER(n)                                           \
  struct event_##n {                                                \
    int id;                                                         \
    std::string name;                                               \
  };                                                                \
  asio::awaitable<void> handle_##n(event_##n event, database& db) { \
    db.insert(event.id, event.name);                                \
    co_return;                                                      \
  }                                                                 \
  asio::awaitable<void> send_##n() {                                \
    event_##n event{n, "Alice"};                                    \
    co_await handle_##n(std::move(event), get_database());          \
  }
