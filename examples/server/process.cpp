#include "process.hpp"

#include <asio/co_spawn.hpp>
#include <asio/signal_set.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace exchange {
namespace {

using completion = std::function<void(const std::exception_ptr&)>;

void start(const asio::any_io_executor& executor, asio::awaitable<void> work, completion end) {
  asio::co_spawn(executor, std::move(work), std::move(end));
}

}  // namespace

asio::awaitable<void> until_signal() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  const int which = co_await signals.async_wait(asio::use_awaitable);
  std::printf("signal %d: accepting nobody new, finishing what was accepted\n", which);
  std::fflush(stdout);
}

asio::any_io_executor serial_executor(asio::io_context& io, int threads) {
  if (threads == 1) return io.get_executor();
  return asio::make_strand(io);
}

void run_with(asio::io_context& io, int threads) {
  std::vector<std::jthread> helpers;
  for (int each = 1; each < threads; ++each) helpers.emplace_back([&] { io.run(); });
  io.run();
}

void run_until_done(asio::io_context& io, asio::awaitable<void> work) {
  std::exception_ptr failed;
  bool done = false;
  start(io.get_executor(), std::move(work), [&](const std::exception_ptr& error) {
    failed = error;
    done = true;
  });
  io.restart();
  while (!done && io.run_one() != 0) {
  }
  if (failed) std::rethrow_exception(failed);
  if (!done) throw std::logic_error("the context was stopped before the work was done");
}

void critical_tasks::spawn(const asio::any_io_executor& executor, asio::awaitable<void> part) {
  start(executor, std::move(part), [this](const std::exception_ptr& error) {
    if (!error) return;
    failed_ = error;
    io_.stop();
  });
}

std::int64_t memory_in_use() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t value = 0;
    if (word == "VmRSS:" && status >> value) return value;
  }
  return 0;
}

}  // namespace exchange
