// The compiler cannot know which unit is meant.
#include <msgbus/async/consumer.hpp>

#include <asio/io_context.hpp>

#include <chrono>

struct placed {};

int main() {
  asio::io_context context;
  msgbus::async::consumer consumer(context.get_executor());
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.timeout = std::chrono::seconds(2)});
#else
  consumer.handler([](const placed&) {}, {.timeout = 2});
#endif
}
