// A member function is called on something; a policy is no object.
#include <msgbus/async/consumer.hpp>

#include <asio/io_context.hpp>

#include <chrono>

struct placed {};
struct projection {
  asio::awaitable<void> on_placed(const placed&) { co_return; }
};

int main() {
  asio::io_context context;
  msgbus::async::consumer consumer(context.get_executor());
#ifdef MSGBUS_CONTROL
  projection object;
  consumer.handler(&projection::on_placed, object, {.timeout = std::chrono::seconds(2)});
#else
  consumer.handler(&projection::on_placed, {.timeout = std::chrono::seconds(2)});
#endif
}
