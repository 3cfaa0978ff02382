#include <msgbus/async.hpp>
#include <msgbus/testing.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/version.hpp>

#include <cstdio>
#include <memory>

namespace {

struct order_placed {
  int id;
};

asio::awaitable<std::size_t> place(msgbus::async::consumer& consumer) {
  return consumer.consume<order_placed>(7);
}

/// A program may use what Asio deprecates, as long as its Asio has it.
int posted() {
  int count = 0;
  asio::io_context io;
#if ASIO_VERSION < 103200
  auto keeps_it_running = std::make_unique<asio::io_context::work>(io);
  io.post([&] {
    ++count;
    keeps_it_running.reset();
  });
#else
  asio::post(io, [&] { ++count; });
#endif
  io.run();
  return count;
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
  return ran == 1 && seen == 7 && posted() == 1 ? 0 : 1;
}
