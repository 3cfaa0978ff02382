// Somebody should know that the message was refused.
#include <msgbus/async/consumer.hpp>

#include <asio/io_context.hpp>

#if defined(__clang__) || defined(__GNUC__)
#pragma GCC diagnostic error "-Wunused-result"
#endif

struct placed {};

int main() {
  asio::io_context context;
  msgbus::async::consumer consumer(context.get_executor());
#ifdef MSGBUS_CONTROL
  (void)consumer.post(placed{});
#else
  consumer.post(placed{});
#endif
}
