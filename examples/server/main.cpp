// A server: JSON lines over TCP in front of a business made of msgbus components. See README.md.
//
//   example_server [--port 0] [--audit FILE] [--threads 2] [--deadline 5]
//
// Ctrl-C: nobody new is accepted, what was accepted is finished, within the deadline in seconds,
// and a report is printed. Ctrl-C again: the end.

#include <asio.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <thread>
#include <vector>

#include "application.hpp"
#include "gateway.hpp"
#include "listener.hpp"
#include "options.hpp"

namespace exchange {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

// In KiB, where the system tells.
std::int64_t memory_in_use() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t value = 0;
    if (word == "VmRSS:" && status >> value) return value;
  }
  return 0;
}

struct outcome {
  std::vector<application::drained> drained;
  std::size_t cut_off = 0;
  double seconds = 0;
};

asio::awaitable<void> until_signal(asio::signal_set& signals) {
  const int number = co_await signals.async_wait(asio::use_awaitable);
  std::printf("signal %d: accepting nobody new, finishing what was accepted\n", number);
  std::fflush(stdout);
}

// First the way in, then the components in the order in which messages pass through them, and last
// the connections, which by then have all that is for them.
asio::awaitable<void> serve(listener& door, application& app, clock::duration deadline,
                            outcome& result) {
  asio::signal_set signals(door.executor(), SIGINT, SIGTERM);
  co_await until_signal(signals);
  signals.clear();
  const clock::time_point begin = clock::now();
  door.stop();
  result.drained = co_await app.drain(begin + deadline);
  result.cut_off = co_await door.finish(begin + deadline);
  result.seconds = seconds_since(begin);
}

// True if nothing was left undone.
bool print_report(const outcome& result, const application& app, const listener& door) {
  std::printf("drained in %.3f s\n", result.seconds);
  std::printf("  %-14s %9s %9s %9s\n", "component", "handled", "failed", "abandoned");
  std::uint64_t abandoned = 0;
  for (const auto& [name, report] : result.drained) {
    std::printf("  %-14s %9llu %9llu %9llu\n", name,
                static_cast<unsigned long long>(report.handled),
                static_cast<unsigned long long>(report.failed),
                static_cast<unsigned long long>(report.abandoned));
    abandoned += report.abandoned;
  }
  std::printf("counters\n  %-14s %9s %9s %9s %9s %9s %9s %9s\n", "component", "accepted",
              "rejected", "handled", "failed", "dropped", "abandoned", "unrouted");
  bool balanced = true;
  for (const auto& [name, counted] : app.stats()) {
    std::printf("  %-14s %9llu %9llu %9llu %9llu %9llu %9llu %9llu\n", name,
                static_cast<unsigned long long>(counted.accepted),
                static_cast<unsigned long long>(counted.rejected),
                static_cast<unsigned long long>(counted.handled),
                static_cast<unsigned long long>(counted.failed),
                static_cast<unsigned long long>(counted.dropped),
                static_cast<unsigned long long>(counted.abandoned),
                static_cast<unsigned long long>(counted.unrouted));
    balanced =
        balanced && counted.offered == counted.accepted + counted.rejected &&
        counted.accepted == counted.handled + counted.failed + counted.dropped + counted.abandoned;
  }
  const listener::totals connections = door.stats();
  std::printf("connections: %llu accepted, %llu refused, %zu cut off at the deadline\n",
              static_cast<unsigned long long>(connections.accepted),
              static_cast<unsigned long long>(connections.refused), result.cut_off);
  std::printf("books: %s", to_line(app.book_totals()).c_str());
  const bool agree = json(app.book_totals()) == json(app.read_model_totals());
  if (!agree) std::printf("read model: %s", to_line(app.read_model_totals()).c_str());
  std::printf("%s\n", !balanced        ? "FAILED: the counters do not add up"
                      : !agree         ? "FAILED: the books and the read model differ"
                      : abandoned      ? "stopped at the deadline: messages were abandoned"
                      : result.cut_off ? "stopped at the deadline: connections were cut off"
                                       : "stopped: nothing was left undone");
  return balanced && agree && abandoned == 0 && result.cut_off == 0;
}

int run(const options& given) {
  const int threads = given.number("--threads", 2, 1, 64);
  asio::io_context io(threads);
  asio::thread_pool blocking(8);  // most of them wait, and cost nothing
  application app(io.get_executor(), blocking.get_executor(), given.text("--audit"));
  listener* door_of_stats = nullptr;
  gateway translator(app, [&](json& result) {
    const listener::totals connections = door_of_stats->stats();
    result["connections"] = connections.open;
    result["accepted_connections"] = connections.accepted;
    result["memory_kib"] = memory_in_use();
  });
  listener door(io, static_cast<std::uint16_t>(given.number("--port", 0, 0, 65535)), translator,
                app.board());
  door_of_stats = &door;

  outcome result;
  std::exception_ptr failed;
  const auto keep = [&](const std::exception_ptr& error) {
    if (!error) return;
    failed = error;
    io.stop();
  };
  asio::co_spawn(door.executor(), door.accept(), keep);
  asio::co_spawn(
      door.executor(),
      serve(door, app, std::chrono::seconds(given.number("--deadline", 5, 0, 3600)), result), keep);
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(door.address().port()));
  std::fflush(stdout);

  std::vector<std::jthread> helpers;
  for (int each = 1; each < threads; ++each) helpers.emplace_back([&] { io.run(); });
  io.run();  // returns when there is nothing left to do
  helpers.clear();
  blocking.join();
  if (failed) std::rethrow_exception(failed);
  return print_report(result, app, door) ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::run(
        exchange::options(argc, argv, {"--port", "--audit", "--threads", "--deadline"}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server: %s\n", error.what());
    return 2;
  }
}
