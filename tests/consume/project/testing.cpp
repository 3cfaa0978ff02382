// A test without threads and without waiting.

#include <msgbus/async/consumer.hpp>
#include <msgbus/testing.hpp>

struct order_placed {
  int id;
};

int main() {
  msgbus::testing::stepping_context context;
  msgbus::async::consumer consumer(context.get_executor());
  int seen = 0;
  consumer.handler([&](const order_placed& order) -> asio::awaitable<void> {
    seen = order.id;
    co_return;
  });
  const std::size_t ran = context.run(consumer.consume<order_placed>(7));
  return ran == 1 && seen == 7 ? 0 : 1;
}
