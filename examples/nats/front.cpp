// The process that clients speak to: JSON lines over TCP, as in examples/server. What they ask for
// is carried out by the process of the orders, on the other side of NATS. See README.md; --help
// lists the options.

#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bus_board.hpp"
#include "bus_business.hpp"
#include "command_line.hpp"
#include "connection_limits.hpp"
#include "gateway.hpp"
#include "listener.hpp"
#include "process.hpp"
#include "reports.hpp"
#include "upstream.hpp"

namespace exchange {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct options {
  std::string url = "nats://127.0.0.1:4222";
  std::uint16_t port = 0;
  int threads = 2;
  std::chrono::milliseconds patience = 5s;
  std::chrono::milliseconds deadline = 10s;
  connection_limits limits;
};

options read_options(int argc, char** argv) {
  options given;
  command_line line("example_nats_front", "Accounts and orders, as JSON lines over TCP.");
  line.text("--url", given.url, "the NATS server");
  line.port(given.port, 0, "where clients connect; 0 is any port that is free");
  line.number("--threads", given.threads, 1, 64, "threads that run coroutines");
  line.time("--patience", given.patience, 1ms, "how long it waits for an answer over NATS");
  line.time("--deadline", given.deadline, 0ms, "the time for finishing after Ctrl-C");
  line.number("--connections", given.limits.connections, 1, 10'000, "clients at the same time");
  line.time("--idle-timeout", given.limits.idle_timeout, 1ms,
            "a client that sends no whole line for so long, or takes nothing, is disconnected");
  line.read(argc, argv);
  return given;
}

struct outcome {
  std::vector<drained> reports;
  std::size_t cut_off = 0;
  double seconds = 0;
};

// Nobody new, then what comes from the other side, and last the connections.
asio::awaitable<void> until_stopped(upstream& orders, listener& acceptor, clock::duration deadline,
                                    outcome& result) {
  co_await until_signal();
  const clock::time_point begin = clock::now();
  acceptor.stop();
  result.reports = co_await orders.drain(begin + deadline);
  result.cut_off = co_await acceptor.finish(begin + deadline);
  result.seconds = seconds_since(begin);
}

int run(const options& given) {
  asio::io_context io(given.threads);
  upstream orders(io, given.url, given.patience);
  listener* acceptor_of_stats = nullptr;
  bus_business asked(orders.commands(), orders.queries(),
                     orders.state([&] { return acceptor_of_stats->stats().open; }));
  gateway translator(asked);
  bus_board followed(orders.board());
  listener acceptor(io, given.threads, given.port, given.limits, translator, followed);
  acceptor_of_stats = &acceptor;

  outcome result;
  critical_tasks critical(io);
  critical.spawn(acceptor.executor(), acceptor.accept());
  critical.spawn(acceptor.executor(), until_stopped(orders, acceptor, given.deadline, result));
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(acceptor.address().port()));
  std::fflush(stdout);
  io.restart();
  run_with(io, given.threads);
  critical.rethrow();

  const std::uint64_t abandoned = print_drained(result.reports, result.seconds);
  const bool balanced = print_counters(orders.stats());
  const upstream::arrivals arrived = orders.arrived();
  std::printf("%llu notices arrived, %llu dropped on the way\n",
              static_cast<unsigned long long>(arrived.received),
              static_cast<unsigned long long>(arrived.dropped));
  std::printf("%s\n", !balanced        ? "FAILED: the counters do not add up"
                      : abandoned      ? "stopped at the deadline: messages were abandoned"
                      : result.cut_off ? "stopped at the deadline: connections were cut off"
                                       : "stopped: nothing was left undone");
  return balanced && abandoned == 0 && result.cut_off == 0 ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::run(exchange::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "front: %s\n", error.what());
    return 2;
  }
}
