// Two bridges over the memory transport, and a connection that nobody answers.

#include <msgbus/nats.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <cstdio>

namespace {

asio::awaitable<void> run(msgbus::bridge& here, msgbus::bridge& there, int& sum) {
  msgbus::remote_service remote(here, "calculator");
  sum = co_await remote.execute<int>("add", 3, 4);
  co_await here.drain(std::chrono::seconds(5));
  co_await there.drain(std::chrono::seconds(5));
  msgbus::nats::options nowhere;
  nowhere.url = "nats://127.0.0.1:1";
  try {
    msgbus::bridge none = co_await msgbus::nats::connect(here.get_executor(), nowhere);
  } catch (const msgbus::error& e) {
    std::printf("%s\n", e.what());
    co_return;
  }
  sum = 0;
}

}  // namespace

int main() {
  asio::io_context io;
  msgbus::memory_broker broker;
  msgbus::bridge here(broker.connect(io.get_executor()));
  msgbus::bridge there(broker.connect(io.get_executor()));
  msgbus::async::service service(io.get_executor());
  auto add = service.handler("add", [](int a, int b) { return a + b; });
  there.serve("calculator", add);
  int sum = 0;
  asio::co_spawn(io, run(here, there, sum), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
  return sum == 7 ? 0 : 1;
}
