// A server: JSON lines over TCP in front of a business made of msgbus components. See README.md;
// --help lists the options.
//
// Ctrl-C: nobody new is accepted, what was accepted is finished within the deadline, and a report
// is printed. Ctrl-C again: the rest is abandoned, and the report says so.

#include <msgbus/async/host.hpp>
#include <msgbus/async/subscriber.hpp>
#ifdef EXAMPLE_HAS_PAGE
#include <msgbus/monitor.hpp>
#endif

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>

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
  msgbus::async::host_report report;
  std::size_t cut_off = 0;
};

// The connections, for the host: nobody new is let in first, and they end last, when they have all
// that is for them.
struct connections {
  listener& acceptor;
  outcome& result;

  void close() {
    std::printf("accepting nobody new, finishing what was accepted\n");
    std::fflush(stdout);
    acceptor.stop();
  }
  asio::awaitable<msgbus::drain_report> drain(clock::duration deadline) {
    result.cut_off = co_await acceptor.finish(clock::now() + deadline);
    co_return msgbus::drain_report{};
  }
};

asio::awaitable<void> serve(msgbus::async::host& all, clock::duration deadline, outcome& result) {
  result.report = co_await all.run({.signals = {SIGINT, SIGTERM}, .deadline = deadline});
}

// True if nothing was left undone.
bool print_report(const outcome& result, const application& app, const msgbus::async::host& all,
                  const listener& acceptor) {
  const double seconds = std::chrono::duration<double>(result.report.took).count();
  const std::uint64_t abandoned = print_drained(result.report.components, seconds);
  const bool balanced = print_counters(all.stats());
  print_breaker("risk", app.risk_breaker(), all.stats());
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

#ifdef EXAMPLE_HAS_PAGE
constexpr bool has_page = true;

// Its threads need none of the server's: it answers also while all of those are busy.
struct page_of_server {
  page_of_server(msgbus::async::host& all, const server_options& given) {
    if (!given.page) return;
    msgbus::monitor_options options;
    options.title = "accounts and orders";
    options.port = static_cast<std::uint16_t>(given.page_port);
    served.emplace(all, options);
    std::printf("page: %s\n", served->url().c_str());
  }
  std::optional<msgbus::monitor> served;
};
#else
constexpr bool has_page = false;

struct page_of_server {
  page_of_server(msgbus::async::host&, const server_options&) {}
};
#endif

int run(const server_options& given) {
  asio::io_context io(given.threads);
  asio::thread_pool blocking(static_cast<std::size_t>(given.pool));
  application app(io, given.threads, blocking.get_executor(), given.audit);
  msgbus::async::subscriber board(serial_executor(io, given.threads));
  app.notices().bind(board);
  msgbus::async::host all(io);
  app.join(all);
  all.add("board", board);
  listener* acceptor_of_stats = nullptr;
  const auto stats = [&]() -> asio::awaitable<json> {
    json result;
    for (const component_stats& each : all.stats()) {
      result["components"][each.name] = figures_of(each);
    }
    result["components"]["audit file"]["open"] = app.unwritten();
    result["components"]["risk"]["breaker"] = msgbus::state_name(app.risk_breaker().current());
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
  connections edge{acceptor, result};
  all.add("connections", edge);
  critical_tasks parts(io);
  parts.spawn(acceptor.executor(), acceptor.accept());
  parts.spawn(acceptor.executor(), serve(all, given.deadline, result));
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(acceptor.address().port()));
  const page_of_server page(all, given);
  std::fflush(stdout);

  run_with(io, given.threads);
  blocking.join();
  parts.rethrow();
  return print_report(result, app, all, acceptor) ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    const auto extras = exchange::server_extras{.page = exchange::has_page};
    return exchange::run(exchange::read_server_options("example_server", argc, argv, extras));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server: %s\n", error.what());
    return 2;
  }
}
