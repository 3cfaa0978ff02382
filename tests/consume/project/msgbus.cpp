// Both families in one program.

#include <msgbus/async/consumer.hpp>
#include <msgbus/sync/consumer.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/version.hpp>

#include <cstdio>
#include <exception>
#include <memory>

namespace {

struct order_placed {
  int id;
};

asio::awaitable<void> place(msgbus::async::consumer& consumer, std::size_t& ran) {
  ran = co_await consumer.consume<order_placed>(7);
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
  asio::io_context io;
  msgbus::sync::consumer other;
  other.handler([](const order_placed& order) { std::printf("order %d\n", order.id); });
  msgbus::async::consumer consumer(io.get_executor());
  std::size_t others = 0;
  consumer.handler([&](const order_placed& order) -> asio::awaitable<void> {
    others = other.consume(order);
    co_return;
  });
  std::size_t ran = 0;
  asio::co_spawn(io, place(consumer, ran), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
  return ran == 1 && others == 1 && posted() == 1 ? 0 : 1;
}
