#pragma once

// A coroutine handler with a dependency, and a coroutine that has it called.

#include <msgbus/async.hpp>

#include "events.hpp"

#define MSGBUS_HANDLER(n)                                                                      \
  struct event_##n {                                                                           \
    int id;                                                                                    \
    std::string name;                                                                          \
  };                                                                                           \
  asio::awaitable<void> handle_##n(const event_##n& event, msgbus::depends<get_database> db) { \
    db->insert(event.id, event.name);                                                          \
    co_return;                                                                                 \
  }                                                                                            \
  void attach_##n(msgbus::async::consumer& consumer) { consumer.handler(handle_##n); }         \
  asio::awaitable<void> send_##n(msgbus::async::consumer& consumer) {                          \
    event_##n event{n, "Alice"};                                                               \
    co_await consumer.consume(std::move(event));                                               \
  }
