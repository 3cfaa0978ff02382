// Asks a question and tells of an order, over NATS; 14_nats_consumer.cpp must be running.
//
//   example_14_nats_publisher [nats://127.0.0.1:4222]

#include <msgbus/async.hpp>
#include <msgbus/nats.hpp>

#include <asio.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include "14_nats_messages.hpp"

namespace bus = msgbus::async;
using namespace std::chrono_literals;

asio::awaitable<void> buy(const msgbus::remote_service& shop, bus::producer& events,
                          std::string item) {
  try {
    const int price = co_await shop.execute<int>("price", item);
    std::cout << "a " << item << " costs " << price << '\n';
  } catch (const msgbus::remote_error& error) {
    std::cout << "no sale: " << error.kind() << ": " << error.text() << '\n';
    co_return;
  }
  order_placed event{1, item};
  co_await events.dispatch(std::move(event));
}

asio::awaitable<void> day(std::string url) {
  const auto executor = co_await asio::this_coro::executor;
  msgbus::nats::options options;
  options.url = std::move(url);
  options.name = "publisher";
  auto connecting = msgbus::nats::connect(executor, options);
  msgbus::bridge nats = co_await std::move(connecting);

  bus::producer events;
  nats.outbound<order_placed>(events);
  const msgbus::remote_service shop(nats, "shop");
  co_await buy(shop, events, "lamp");
  co_await buy(shop, events, "unicorn");
  (void)co_await nats.drain(5s);
}

int main(int argc, char** argv) {
  asio::io_context io;
  asio::co_spawn(io, day(argc > 1 ? argv[1] : "nats://127.0.0.1:4222"),
                 [](const std::exception_ptr& error) {
                   if (error) std::rethrow_exception(error);
                 });
  try {
    io.run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
