// Hears of orders and answers questions, over NATS, until it is stopped; see 14_nats_publisher.cpp.
//
//   example_14_nats_consumer [nats://127.0.0.1:4222]

#include <msgbus/async.hpp>
#include <msgbus/nats.hpp>

#include <asio.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "14_nats_messages.hpp"

namespace bus = msgbus::async;
using namespace std::chrono_literals;

int price_of(std::string item) {
  if (item != "lamp") throw std::out_of_range("we have no " + item);
  return 4200;
}

asio::awaitable<void> serve(std::string url) {
  const auto executor = co_await asio::this_coro::executor;
  msgbus::nats::options options;
  options.url = std::move(url);
  options.name = "consumer";
  auto connecting = msgbus::nats::connect(executor, options);
  msgbus::bridge nats = co_await std::move(connecting);

  bus::consumer orders(executor);
  orders.handler([](const order_placed& event, const msgbus::context& about) {
    std::cout << "order " << event.number << ", a " << event.item << ", with an id of "
              << about.message_id().size() << " characters" << std::endl;
  });
  bus::service shop(executor);
  const auto price = shop.handler("price", price_of);

  nats.inbound<order_placed>(orders);
  nats.serve("shop", price);
  co_await nats.flush();  // from here on nothing passes it by
  std::cout << "ready" << std::endl;

  asio::signal_set signals(executor, SIGINT, SIGTERM);
  co_await signals.async_wait(asio::use_awaitable);
  const msgbus::drain_report report = co_await nats.drain(5s);
  (void)co_await orders.drain(5s);
  std::cout << "stopped, " << report.abandoned << " abandoned" << std::endl;
}

int main(int argc, char** argv) {
  asio::io_context io;
  asio::co_spawn(io, serve(argc > 1 ? argv[1] : "nats://127.0.0.1:4222"),
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
