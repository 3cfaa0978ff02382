// A server: JSON lines over TCP in front of a business made of msgbus components. See README.md;
// --help lists the options.
//
// Ctrl-C: nobody new is accepted, what was accepted is finished within the deadline, and a report
// is printed. Ctrl-C again: the end.

#include <msgbus/async/subscriber.hpp>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "application.hpp"
#include "bus_board.hpp"
#include "bus_business.hpp"
#include "gateway.hpp"
#include "json.hpp"
#include "json_text.hpp"
#include "listener.hpp"
#include "process.hpp"
#include "reports.hpp"
#include "server_options.hpp"

namespace exchange {
namespace {

using clock = std::chrono::steady_clock;

struct outcome {
  std::vector<drained> reports;
  std::size_t cut_off = 0;
  double seconds = 0;
};

// First the way in, then the components in the order in which messages pass through them, and last
// the connections, which by then have all that is for them.
asio::awaitable<void> serve(listener& acceptor, application& app, msgbus::async::subscriber& board,
                            clock::duration deadline, outcome& result) {
  co_await until_signal();
  const clock::time_point begin = clock::now();
  acceptor.stop();
  result.reports = co_await app.drain(begin + deadline);
  result.reports.push_back({"board", {}});
  result.reports.back().report = co_await board.drain(begin + deadline - clock::now());
  result.cut_off = co_await acceptor.finish(begin + deadline);
  result.seconds = seconds_since(begin);
}

std::vector<component_stats> stats_of(const application& app,
                                      const msgbus::async::subscriber& board) {
  std::vector<component_stats> all = app.stats();
  all.push_back({"board", board.stats()});
  return all;
}

// True if nothing was left undone.
bool print_report(const outcome& result, const application& app,
                  const msgbus::async::subscriber& board, const listener& acceptor) {
  const std::uint64_t abandoned = print_drained(result.reports, result.seconds);
  const bool balanced = print_counters(stats_of(app, board));
  const listener::totals connections = acceptor.stats();
  std::printf(
      "connections: %llu accepted, %llu refused, %llu timed out, %zu cut off at the deadline\n",
      static_cast<unsigned long long>(connections.accepted),
      static_cast<unsigned long long>(connections.refused),
      static_cast<unsigned long long>(connections.timed_out), result.cut_off);
  std::printf("books: %s", to_line(app.book_totals()).c_str());
  const bool agree = app.book_totals() == app.read_model_totals();
  if (!agree) std::printf("read model: %s", to_line(app.read_model_totals()).c_str());
  std::printf("%s\n", !balanced        ? "FAILED: the counters do not add up"
                      : !agree         ? "FAILED: the books and the read model differ"
                      : abandoned      ? "stopped at the deadline: messages were abandoned"
                      : result.cut_off ? "stopped at the deadline: connections were cut off"
                                       : "stopped: nothing was left undone");
  return balanced && agree && abandoned == 0 && result.cut_off == 0;
}

int run(const server_options& given) {
  asio::io_context io(given.threads);
  asio::thread_pool blocking(static_cast<std::size_t>(given.pool));
  application app(io, given.threads, blocking.get_executor(), given.audit);
  msgbus::async::subscriber board(serial_executor(io, given.threads));
  app.notices().bind(board);
  listener* acceptor_of_stats = nullptr;
  const auto stats = [&]() -> asio::awaitable<json> {
    json result;
    for (const component_stats& each : stats_of(app, board)) result["components"][each.name] = each;
    const listener::totals connections = acceptor_of_stats->stats();
    result["connections"] = connections.open;
    result["accepted_connections"] = connections.accepted;
    result["memory_kib"] = memory_in_use();
    co_return result;
  };
  bus_business carried_out(app.commands(), app.queries(), stats);
  gateway translator(carried_out);
  bus_board followed(board);
  listener acceptor(io, given.threads, given.port, given.limits, translator, followed);
  acceptor_of_stats = &acceptor;

  outcome result;
  critical_tasks parts(io);
  parts.spawn(acceptor.executor(), acceptor.accept());
  parts.spawn(acceptor.executor(), serve(acceptor, app, board, given.deadline, result));
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(acceptor.address().port()));
  std::fflush(stdout);

  run_with(io, given.threads);
  blocking.join();
  parts.rethrow();
  return print_report(result, app, board, acceptor) ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::run(exchange::read_server_options("example_server", argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server: %s\n", error.what());
    return 2;
  }
}
