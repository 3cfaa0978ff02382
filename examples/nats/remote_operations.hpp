#pragma once

/// Services here whose operations another process carries out. Those who call them need not know.

#include <chrono>

namespace msgbus {
class bridge;
namespace async {
class service;
}  // namespace async
}  // namespace msgbus

namespace exchange {

/// Adds the operations of the orders to both. `patience` is how long an answer may take.
void add_remote_operations(msgbus::async::service& commands, msgbus::async::service& queries,
                           const msgbus::bridge& nats, std::chrono::milliseconds patience);

}  // namespace exchange
