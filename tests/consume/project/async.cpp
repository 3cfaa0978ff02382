#include <msgbus/async.hpp>
#include <msgbus/testing.hpp>

#include <cstdio>

namespace {

struct order_placed {
  int id;
};

asio::awaitable<std::size_t> place(msgbus::async::consumer& consumer) {
  return consumer.consume<order_placed>(7);
}

}  // namespace

int main() {
  msgbus::testing::stepping_context context;
  msgbus::async::consumer consumer(context.get_executor());
  int seen = 0;
  consumer.handler([&](const order_placed& order) -> asio::awaitable<void> {
    seen = order.id;
    co_return;
  });
  const std::size_t ran = context.run(place(consumer));
  std::printf("%zu handler saw order %d\n", ran, seen);
  return ran == 1 && seen == 7 ? 0 : 1;
}
