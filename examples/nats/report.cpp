// Proves what the demo promises, from what each side has written down and from the stream itself:
// what was answered to clients was placed, what was placed is stored, and what is stored was
// handled; nothing was lost, and nothing was done twice. --help lists the options.
//
// The process of the orders must have stopped; the workers may still be working, and are waited
// for.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/bridge/bridge.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "command_line.hpp"
#include "journal.hpp"
#include "json.hpp"
#include "process.hpp"
#include "wire.hpp"

namespace exchange {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct options {
  std::string audit;
  std::string answered;
  std::string journal;
  std::string url = "nats://127.0.0.1:4222";
  std::chrono::milliseconds wait = 20s;
};

options read_options(int argc, char** argv) {
  options given;
  command_line line("example_nats_report", "Compares what the processes have written down.");
  line.file("--audit", given.audit, "the audit log of the process of the orders");
  line.file("--answered", given.answered, "the orders of which clients were told");
  line.file("--journal", given.journal, "the file that all workers share");
  for (const char* name : {"--audit", "--answered", "--journal"}) line.require(name);
  line.text("--url", given.url, "the NATS server");
  line.time("--wait", given.wait, 1ms, "the time for the workers to handle what is left");
  line.read(argc, argv);
  return given;
}

asio::awaitable<void> pause(clock::duration length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, length);
  co_await timer.async_wait(asio::use_awaitable);
}

// --- What was written down. ----------------------------------------------------------------------

std::multiset<number> placed_orders(const std::string& audit) {
  std::multiset<number> found;
  std::ifstream in(audit);
  for (std::string text; std::getline(in, text);) {
    const json line = json::parse(text);
    if (line.at("event") == "order_placed") found.insert(line.at("order").get<number>());
  }
  return found;
}

std::multiset<number> answered_orders(const std::string& file) {
  std::multiset<number> found;
  std::ifstream in(file);
  for (number order = 0; in >> order;) found.insert(order);
  return found;
}

// --- What the streams hold. ----------------------------------------------------------------------

struct streams {
  std::multimap<std::string, number> orders;  // by message id
  std::size_t dead = 0;
};

// With durable consumers of its own, it gets what the workers get.
asio::awaitable<streams> read_streams(msgbus::bridge& nats, std::size_t expected,
                                      clock::time_point deadline) {
  const auto executor = co_await asio::this_coro::executor;
  streams found;
  msgbus::async::consumer orders(executor);
  orders.handler([&](const order_placed& event, const msgbus::context& about) {
    found.orders.emplace(about.message_id(), event.order.id);
  });
  msgbus::async::subscriber dead(executor);
  dead.subscribe(wire::dead_orders, [&](const order_placed&) { ++found.dead; });

  msgbus::durable_options how;
  how.durable = "report";
  how.stream = wire::orders_stream;
  auto joining = nats.durable<order_placed>(orders, how);
  const msgbus::bridge_link all = co_await std::move(joining);
  how.stream = wire::dead_stream;
  auto burying = nats.durable<order_placed>(dead, wire::dead_orders, how);
  const msgbus::bridge_link dead_lettered = co_await std::move(burying);

  while (found.orders.size() < expected && clock::now() < deadline) co_await pause(20ms);
  std::uint64_t before = 0;
  do {  // and what should not be there
    before = all.stats().received + dead_lettered.stats().received;
    co_await pause(300ms);
  } while (before != all.stats().received + dead_lettered.stats().received);
  (void)co_await nats.drain(5s);
  (void)co_await orders.drain(1s);
  (void)co_await dead.drain(1s);
  co_return found;
}

// --- What the workers did. -----------------------------------------------------------------------

struct worker_tally {
  std::uint64_t begun = 0;
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;
  std::uint64_t overtaken = 0;
  std::uint64_t duplicates = 0;

  [[nodiscard]] std::uint64_t deliveries() const { return begun + duplicates; }
  [[nodiscard]] std::uint64_t cut_off() const { return begun - handled - failed - overtaken; }
};

struct work_done {
  std::map<std::string, worker_tally> workers;
  worker_tally all;
  std::map<std::string, number> handled;  // by message id
  std::uint64_t unrecognised = 0;         // done again, or begun again, after it was handled
};

work_done read_journal(const std::string& file) {
  work_done found;
  for (const journal::line& each : journal::read(file)) {
    const bool done = found.handled.contains(each.message_id);
    worker_tally& worker = found.workers[each.worker];
    const auto count = [&](std::uint64_t worker_tally::* which) {
      ++(worker.*which);
      ++(found.all.*which);
    };
    if (each.what == "begun") {
      count(&worker_tally::begun);
      if (done) ++found.unrecognised;
    } else if (each.what == "handled") {
      count(&worker_tally::handled);
      if (done) ++found.unrecognised;
      found.handled.emplace(each.message_id, each.order);
    } else if (each.what == "failed") {
      count(&worker_tally::failed);
    } else if (each.what == "overtaken") {
      count(&worker_tally::overtaken);
      if (!done) ++found.unrecognised;
    } else {
      count(&worker_tally::duplicates);
      if (!done) ++found.unrecognised;
    }
  }
  return found;
}

// Until all is handled, and nothing has come again for longer than a message is waited for.
asio::awaitable<void> until_handled(std::string file, std::size_t stored,
                                    clock::time_point deadline) {
  std::uint64_t before = 0;
  for (clock::time_point quiet_since = clock::now(); clock::now() < deadline;) {
    const work_done now = read_journal(file);
    const std::uint64_t lines = now.all.deliveries() + now.all.handled;
    if (lines != before) quiet_since = clock::now();
    before = lines;
    if (now.handled.size() >= stored && clock::now() - quiet_since > 1500ms) co_return;
    co_await pause(100ms);
  }
}

// --- The proof. ----------------------------------------------------------------------------------

int failures = 0;

void judge(bool right, const std::string& sentence) {
  std::printf("  %s %s\n", right ? "ok    " : "FAILED", sentence.c_str());
  if (!right) ++failures;
}

std::string text(std::uint64_t count) { return std::to_string(count); }

std::set<number> distinct(const std::multiset<number>& all) { return {all.begin(), all.end()}; }

void print_workers(const work_done& work) {
  std::printf("  %-12s %10s %9s %10s %9s %9s %8s\n", "worker", "deliveries", "handled",
              "duplicates", "overtaken", "failed", "cut off");
  const auto print = [](const char* name, const worker_tally& each) {
    const auto wide = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
    std::printf("  %-12s %10llu %9llu %10llu %9llu %9llu %8llu\n", name, wide(each.deliveries()),
                wide(each.handled), wide(each.duplicates), wide(each.overtaken), wide(each.failed),
                wide(each.cut_off()));
  };
  for (const auto& [name, each] : work.workers) print(name.c_str(), each);
  print("all", work.all);
}

void prove(const std::multiset<number>& placed, const std::multiset<number>& answered,
           const streams& stored, const work_done& work) {
  const std::set<number> in_books = distinct(placed);
  std::uint64_t unknown = 0;
  for (const number each : answered) unknown += in_books.contains(each) ? 0 : 1;
  judge(!placed.empty() && in_books.size() == placed.size() && unknown == 0,
        "placed, each once: " + text(placed.size()) + " orders; clients had an answer for " +
            text(answered.size()));

  std::multiset<number> kept;
  std::uint64_t lost = 0;
  for (const auto& [id, order] : stored.orders) {
    kept.insert(order);
    const auto found = work.handled.find(id);
    if (found == work.handled.end() || found->second != order) ++lost;
  }
  judge(kept == placed, "stored, the same and each once: " + text(kept.size()));
  judge(lost == 0 && work.handled.size() == stored.orders.size() && stored.dead == 0,
        "handled: " + text(work.handled.size()) + ", given up: " + text(stored.dead) +
            ", lost: " + text(lost));
  judge(work.unrecognised == 0,
        "delivered though they were handled: " + text(work.all.duplicates + work.all.overtaken) +
            " duplicates, not recognised: " + text(work.unrecognised));
  print_workers(work);
}

int run(const options& given) {
  const clock::time_point deadline = clock::now() + given.wait;
  const std::multiset<number> placed = placed_orders(given.audit);
  asio::io_context io(1);
  auto connecting = wire::connect(io.get_executor(), given.url, "report");
  msgbus::bridge nats = run_until_done(io, std::move(connecting));
  const streams stored = run_until_done(io, read_streams(nats, placed.size(), deadline));
  run_until_done(io, until_handled(given.journal, stored.orders.size(), deadline));
  prove(placed, answered_orders(given.answered), stored, read_journal(given.journal));
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::run(exchange::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "report: %s\n", error.what());
    return 2;
  }
}
