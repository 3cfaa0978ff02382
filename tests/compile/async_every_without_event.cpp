// What a recurring schedule sends is what its function returns.
#include <msgbus/async/consumer.hpp>

#include <asio/io_context.hpp>

#include <chrono>

struct tick {};

int main() {
  asio::io_context context;
  msgbus::async::consumer consumer(context.get_executor());
#ifdef MSGBUS_CONTROL
  (void)consumer.every(std::chrono::seconds(1), [] { return tick(); });
#else
  (void)consumer.every(std::chrono::seconds(1), [] {});
#endif
}
