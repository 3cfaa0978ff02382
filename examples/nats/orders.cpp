// The process of accounts and orders: the same business as in examples/server, for callers on the
// other side of NATS. See README.md; --help lists the options.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/bridge/bridge.hpp>

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "application.hpp"
#include "command_line.hpp"
#include "json_text.hpp"
#include "order_store.hpp"
#include "process.hpp"
#include "reports.hpp"
#include "wire.hpp"

namespace exchange {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct options {
  std::string url = "nats://127.0.0.1:4222";
  std::string audit;
  int threads = 2;
  std::chrono::milliseconds deadline = 10s;
};

options read_options(int argc, char** argv) {
  options given;
  command_line line("example_nats_orders", "Accounts and orders, for callers over NATS.");
  line.text("--url", given.url, "the NATS server");
  line.text("--audit", given.audit, "the file for the audit log; without it there is none");
  line.number("--threads", given.threads, 1, 64, "threads that run coroutines");
  line.time("--deadline", given.deadline, 0ms, "the time for finishing after Ctrl-C");
  line.read(argc, argv);
  return given;
}

// What the process is made of, besides the business.
struct connected {
  connected(msgbus::bridge& over, application& app, msgbus::async::host& all,
            const asio::any_io_executor& executor)
      : store(over), storing(executor), control(executor) {
    store.attach(storing);
    app.facts().bind(storing);
    notices = over.outbound<notice>(app.notices(), wire::all_notices);

    const auto tell = [this, &all, &app] {
      orders_state state;
      for (const component_stats& each : all.stats()) {
        state.components[each.name] = {{"open", open_in(each)},
                                       {"accepted", each.counts.accepted},
                                       {"handled", each.counts.handled},
                                       {"failed", each.counts.failed},
                                       {"dropped", each.counts.dropped}};
      }
      state.components["audit file"]["open"] = app.unwritten();
      state.orders_stored = store.stored();
      return state;
    };
    const auto state = control.handler("state", tell);

    const command_operations& command = app.command();
    const query_operations& query = app.query();
    served.push_back(over.serve(wire::commands, command.open_account, command.deposit,
                                command.withdraw, command.place_order, command.cancel_order,
                                command.books));
    served.push_back(over.serve(wire::queries, query.get_account, query.list_orders,
                                query.list_symbols, query.summary));
    served.push_back(over.serve(wire::control, state));
  }

  order_store store;
  msgbus::async::consumer storing;
  msgbus::async::service control;
  msgbus::bridge_link notices;
  std::vector<msgbus::bridge_link> served;
};

asio::awaitable<void> serve(msgbus::async::host& all, clock::duration deadline,
                            msgbus::async::host_report& result) {
  result = co_await all.run({.signals = {SIGINT, SIGTERM}, .deadline = deadline});
}

int run(const options& given) {
  asio::io_context io(given.threads);
  asio::thread_pool blocking(8);
  auto connecting = wire::connect(io.get_executor(), given.url, "orders");
  msgbus::bridge nats = run_until_done(io, std::move(connecting));
  run_until_done(io, wire::ensure_streams(nats));

  application app(io, given.threads, blocking.get_executor(), given.audit,
                  std::string(wire::notices));
  msgbus::async::host all(io);
  app.join(all);
  connected parts(nats, app, all, asio::make_strand(io));
  all.add("storing", parts.storing);
  all.add("nats", nats);
  run_until_done(io, nats.flush());
  std::printf("serving\n");
  std::fflush(stdout);

  msgbus::async::host_report result;
  critical_tasks critical(io);
  critical.spawn(io.get_executor(), serve(all, given.deadline, result));
  io.restart();
  run_with(io, given.threads);
  blocking.join();
  critical.rethrow();

  const double seconds = std::chrono::duration<double>(result.took).count();
  const std::uint64_t abandoned = print_drained(result.components, seconds);
  const bool balanced = print_counters(all.stats());
  print_breaker("risk", app.risk_breaker(), all.stats());
  const bool agree = app.book_totals() == app.read_model_totals();
  std::printf("books: %s", to_line(app.book_totals()).c_str());
  std::printf("%llu orders stored, tried once more %llu times; %llu notices sent, %llu not\n",
              static_cast<unsigned long long>(parts.store.stored()),
              static_cast<unsigned long long>(parts.store.repeated()),
              static_cast<unsigned long long>(parts.notices.stats().sent),
              static_cast<unsigned long long>(parts.notices.stats().unsent));
  std::printf("%s\n", !balanced   ? "FAILED: the counters do not add up"
                      : !agree    ? "FAILED: the books and the read model differ"
                      : abandoned ? "stopped at the deadline: messages were abandoned"
                                  : "stopped: nothing was left undone");
  return balanced && agree && abandoned == 0 ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::run(exchange::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "orders: %s\n", error.what());
    return 2;
  }
}
