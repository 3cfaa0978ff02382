#include "order_store.hpp"

#include <chrono>

#include "wire.hpp"

namespace exchange {

order_store::order_store(msgbus::bridge& nats)
    : nats_(nats),
      run_(std::to_string(std::chrono::system_clock::now().time_since_epoch().count())) {}

void order_store::attach(msgbus::async::consumer& consumer) {
  consumer.handler(&order_store::store, *this);
}

// The order is in the books already. So there is no giving up: storing it once more is harmless,
// because the stream knows its message id.
asio::awaitable<void> order_store::store(const order_placed& event) {
  msgbus::store_options how;
  how.message_id = "order-" + run_ + "-" + std::to_string(event.order.id);
  how.timeout = std::chrono::seconds(2);
  for (;;) {
    try {
      auto storing = nats_.store_event(event, how);
      (void)co_await std::move(storing);
      stored_.fetch_add(1, std::memory_order_relaxed);
      co_return;
    } catch (const msgbus::error& failure) {
      if (failure.code() != msgbus::errc::timed_out &&
          failure.code() != msgbus::errc::disconnected) {
        throw;
      }
      repeated_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace exchange
