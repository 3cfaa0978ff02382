// The process that clients speak to: JSON lines over TCP, as in examples/server. What they ask for
// is carried out by the process of the orders, on the other side of NATS. See README.md; --help
// lists the options.

#include <asio.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "forward.hpp"
#include "gateway.hpp"
#include "listener.hpp"
#include "process.hpp"
#include "reports.hpp"
#include "wire.hpp"

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

void forward_all(msgbus::async::service& commands, msgbus::async::service& queries,
                 const msgbus::bridge& nats, msgbus::call_options how) {
  const msgbus::remote_service command(nats, wire::commands, how);
  forward<account, std::string>(commands, "open_account", command);
  forward<account, number, money>(commands, "deposit", command);
  forward<account, number, money>(commands, "withdraw", command);
  forward<order, number, std::string, std::int64_t, money>(commands, "place_order", command);
  forward<order, number>(commands, "cancel_order", command);
  forward<totals>(commands, "books", command);

  const msgbus::remote_service query(nats, wire::queries, how);
  forward<account, number>(queries, "get_account", query);
  forward<std::vector<order>, number>(queries, "list_orders", query);
  forward<std::vector<symbol_summary>>(queries, "list_symbols", query);
  forward<totals>(queries, "summary", query);
}

// What comes from NATS, and how it gets to the sessions.
struct front {
  front(msgbus::bridge& nats, const asio::any_io_executor& executor, msgbus::call_options how)
      : commands(executor),
        queries(executor),
        control(nats, wire::control, {.timeout = 500ms}),
        arrivals(asio::make_strand(executor), {.capacity = 4096}),
        board(asio::make_strand(executor), {.capacity = 4096}),
        billing(asio::make_strand(executor)) {
    forward_all(commands, queries, nats, how);

    // Clients know the topics without what they have in front of them on the way.
    to_board.bind(board);
    const auto pass_on = [this](const notice& arrived, const msgbus::context& about) {
      return to_board.send(arrived, std::string(about.topic().substr(wire::notices.size())));
    };
    arrivals.subscribe(wire::all_notices, pass_on);
    notices = nats.inbound<notice>(arrivals, wire::all_notices);

    billing.handler([this](const order_billed&) { billed.fetch_add(1); });
    nats.inbound<order_billed>(billing);
  }

  [[nodiscard]] std::vector<component_stats> stats() const {
    return {{"front", commands.stats()},
            {"front queries", queries.stats()},
            {"arrivals", arrivals.stats()},
            {"board", board.stats()}};
  }

  msgbus::async::service commands;
  msgbus::async::service queries;
  msgbus::remote_service control;
  msgbus::async::subscriber arrivals;
  msgbus::async::subscriber board;
  msgbus::async::consumer billing;
  msgbus::async::publisher to_board;
  msgbus::bridge_link notices;
  std::atomic<std::uint64_t> billed{0};
};

// What is open here and there, and between. What moves is looked for where it comes from first.
asio::awaitable<json> state_of(front& here, const listener& door) {
  orders_state there;
  bool is_there = true;
  try {
    auto asking = here.control.execute<orders_state>("state");
    there = co_await std::move(asking);
  } catch (const msgbus::error&) {
    is_there = false;
  }
  json result;
  if (is_there) {
    for (const auto& [name, each] : there.components) result["components"][name] = each;
    // The component that makes them has handled as many events as there are notices.
    const std::uint64_t made = there.components.at("notifications").at("handled");
    const msgbus::link_counters arrived = here.notices.stats();
    const std::uint64_t taken = arrived.received + arrived.dropped;
    result["components"]["on the way"]["open"] = made > taken ? made - taken : 0;
    result["note"] = std::to_string(there.orders_stored) + " orders stored, " +
                     std::to_string(here.billed.load()) + " billed";
  } else {
    result["note"] = "the orders are away";
  }
  for (const component_stats& each : here.stats()) result["components"][each.name] = each;
  result["connections"] = door.stats().open;
  result["memory_kib"] = memory_in_use();
  co_return result;
}

struct outcome {
  std::vector<drained> reports;
  std::size_t cut_off = 0;
  double seconds = 0;
};

// Nobody new, then what was asked for, then what others have sent, and last the connections.
asio::awaitable<void> until_stopped(msgbus::bridge& nats, front& here, listener& door,
                                    clock::duration deadline, outcome& result) {
  co_await until_signal();
  const clock::time_point begin = clock::now();
  const auto left = [&] { return begin + deadline - clock::now(); };
  door.stop();
  result.reports.resize(5);
  result.reports[0].name = "commands";
  result.reports[0].report = co_await here.commands.drain(left());
  result.reports[1].name = "queries";
  result.reports[1].report = co_await here.queries.drain(left());
  result.reports[2].name = "nats";
  result.reports[2].report = co_await nats.drain(left());
  result.reports[3].name = "arrivals";
  result.reports[3].report = co_await here.arrivals.drain(left());
  result.reports[4].name = "board";
  result.reports[4].report = co_await here.board.drain(left());
  result.cut_off = co_await door.finish(begin + deadline);
  result.seconds = seconds_since(begin);
}

int run(const options& given) {
  asio::io_context io(given.threads);
  auto connecting = wire::connect(io.get_executor(), given.url, "front");
  msgbus::bridge nats = run_until_done(io, std::move(connecting));

  front here(nats, io.get_executor(), {.timeout = given.patience});
  run_until_done(io, nats.flush());
  listener* door_of_stats = nullptr;
  gateway translator(here.commands, here.queries, [&] { return state_of(here, *door_of_stats); });
  listener door(io, given.port, given.limits, translator, here.board);
  door_of_stats = &door;

  outcome result;
  essential_parts essential(io);
  essential.spawn(door.executor(), door.accept());
  essential.spawn(door.executor(), until_stopped(nats, here, door, given.deadline, result));
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(door.address().port()));
  std::fflush(stdout);
  io.restart();
  run_with(io, given.threads);
  essential.rethrow();

  const std::uint64_t abandoned = print_drained(result.reports, result.seconds);
  const bool balanced = print_counters(here.stats());
  const msgbus::link_counters arrived = here.notices.stats();
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
