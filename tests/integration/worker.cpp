// A process for tests that kill processes. It handles a stream's messages, and prints one line for
// each. `worker URL N` kills itself when it has handled the Nth message, before that is settled.
// With 0 it ends when no message has arrived for a while.

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/nats.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

asio::awaitable<void> work(std::string url, int dies_at) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  msgbus::nats::options options;
  options.url = std::move(url);
  msgbus::bridge bridge = co_await msgbus::nats::connect(here, options);
  msgbus::async::subscriber to(here);
  int handled = 0;
  to.subscribe("orders.*", [&](int, const msgbus::context& ctx) {
    std::printf("%s\n", std::string(ctx.message_id()).c_str());
    std::fflush(stdout);
    if (++handled == dies_at) ::kill(::getpid(), SIGKILL);
  });
  msgbus::durable_options durable;
  durable.stream = "ORDERS";
  durable.durable = "billing";
  durable.ack_wait = 1s;
  durable.max_deliver = 0;
  co_await bridge.durable<int>(to, "orders.>", durable);
  for (int seen = -1; seen != handled || handled == 0;) {
    seen = handled;
    co_await msgbus::exec::sleep(3s);
  }
  co_await bridge.drain(5s);
}

}  // namespace

int main(int, char** argv) {
  asio::io_context io;
  asio::co_spawn(io, work(argv[1], std::atoi(argv[2])), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
}
