// The server of examples/server with its books in a file, which survive any end of the process.
//   example_durable_server --books FILE [the options of example_server]
//   example_durable_server --books FILE --check NUMBERS   compares the file with what was answered

#include <msgbus/async/host.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/durable.hpp>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>

#include "application.hpp"
#include "book_file.hpp"
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

/// Each entry of the ledger is a transaction: those that run at the same time share a commit.
constexpr msgbus::mailbox_options many_at_a_time{.concurrency = 256};

/// The connections, for the host.
struct connections {
  listener& acceptor;

  void close() { acceptor.stop(); }
  asio::awaitable<msgbus::drain_report> drain(clock::duration deadline) {
    (void)co_await acceptor.finish(clock::now() + deadline);
    co_return msgbus::drain_report{};
  }
};

asio::awaitable<void> serve(msgbus::async::host& all, clock::duration deadline,
                            msgbus::async::host_report& report) {
  report = co_await all.run({.signals = {SIGINT, SIGTERM}, .deadline = deadline});
}

durable_ptr open_books(asio::io_context& io, const std::string& file) {
  msgbus::durable::open_options options;
  options.file = file;
  durable_ptr db = run_until_done(io, msgbus::durable::open(io, options));
  run_until_done(io, make_tables(db));
  return db;
}

int check(const server_options& given) {
  asio::io_context io;
  const durable_ptr db = open_books(io, given.books);
  msgbus::async::consumer ledger(io.get_executor(), many_at_a_time);
  keep_ledger(ledger, db);
  db->route<order_entered>("ledger", ledger);  // what the last process has left
  return run_until_done(io, check_books(db, given.check)) ? 0 : 1;
}

int run(const server_options& given) {
  asio::io_context io(given.threads);
  asio::thread_pool blocking(static_cast<std::size_t>(given.pool));
  const durable_ptr db = open_books(io, given.books);
  books kept;
  application app(io, given.threads, blocking.get_executor(), given.audit);
  run_until_done(io, restore(db, kept, app.facts()));
  app.commands().override(get_books, [&kept]() -> books& { return kept; });
  app.commands().override(unit_of_work, durable_unit_of_work(db));
  msgbus::async::consumer ledger(serial_executor(io, given.threads), many_at_a_time);
  keep_ledger(ledger, db);
  db->route<order_entered>("ledger", ledger);
  msgbus::async::subscriber board(serial_executor(io, given.threads));
  app.notices().bind(board);

  msgbus::async::host all(io);
  app.join(all);
  all.add("file", *db);  // what it delivers goes to the ledger
  all.add("ledger", ledger);
  all.add("board", board);
  const auto stats = [&]() -> asio::awaitable<json> {
    json result;
    for (const component_stats& each : all.stats()) {
      result["components"][each.name] = figures_of(each);
    }
    result["memory_kib"] = memory_in_use();
    co_return result;
  };
  bus_business carried_out(app.commands(), app.queries(), stats);
  gateway translator(carried_out);
  bus_board followed(board);
  listener acceptor(io, given.threads, given.port, given.limits, translator, followed);
  connections edge{acceptor};
  all.add("connections", edge);
  msgbus::async::host_report report;
  critical_tasks parts(io);
  parts.spawn(acceptor.executor(), acceptor.accept());
  parts.spawn(acceptor.executor(), serve(all, given.deadline, report));
  std::printf("listening on 127.0.0.1:%u, with %lld accounts and %lld orders in the file\n",
              static_cast<unsigned>(acceptor.address().port()),
              static_cast<long long>(kept.sums().accounts),
              static_cast<long long>(kept.sums().orders_placed));
  std::fflush(stdout);

  io.restart();  // it has run out of work, before there was any
  run_with(io, given.threads);
  blocking.join();
  parts.rethrow();
  const msgbus::durable::counters counts = db->stats();
  const double seconds = std::chrono::duration<double>(report.took).count();
  const std::uint64_t abandoned = print_drained(report.components, seconds);
  std::printf("file: %llu transactions in %llu commits, %llu messages delivered\n",
              static_cast<unsigned long long>(counts.committed),
              static_cast<unsigned long long>(counts.commits),
              static_cast<unsigned long long>(counts.delivered));
  std::printf("books: %s", to_line(kept.sums()).c_str());
  const bool agree = kept.sums() == app.read_model_totals();
  if (!agree) std::printf("read model: %s", to_line(app.read_model_totals()).c_str());
  std::printf("%s\n", !agree      ? "FAILED: the books and the read model differ"
                      : abandoned ? "stopped at the deadline: messages were abandoned"
                                  : "stopped: nothing was left undone");
  return agree && abandoned == 0 ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    const auto given =
        exchange::read_server_options("example_durable_server", argc, argv, {.file = true});
    return given.check.empty() ? exchange::run(given) : exchange::check(given);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server: %s\n", error.what());
    return 2;
  }
}
