// A worker: writes an invoice for every order that is placed. There may be any number of them; they
// share one durable consumer, and each order goes to one. A worker may be killed at any moment:
// what it had in hand goes to another, who knows from the journal what was done already. See
// README.md; --help lists the options.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/bridge/bridge.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "command_line.hpp"
#include "journal.hpp"
#include "process.hpp"
#include "reports.hpp"
#include "wire.hpp"

namespace exchange {
namespace {

using namespace std::chrono_literals;

struct options {
  std::string name = "worker";
  std::string journal = "journal.txt";
  std::string url = "nats://127.0.0.1:4222";
  std::chrono::milliseconds deadline = 10s;
};

options read_options(int argc, char** argv) {
  options given;
  command_line line("example_nats_worker", "Writes an invoice for every order that is placed.");
  line.word("--name", given.name, "what it calls itself in the journal");
  line.text("--journal", given.journal, "the file that all workers share");
  line.text("--url", given.url, "the NATS server");
  line.time("--deadline", given.deadline, 0ms, "the time for finishing after Ctrl-C");
  line.read(argc, argv);
  return given;
}

asio::awaitable<void> takes(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

// Says why an order comes again.
class complaints final : public msgbus::observer {
 public:
  void failed(const msgbus::step& about, const std::exception_ptr& why) noexcept override {
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(about.message.size()), about.message.data(),
                 msgbus::describe(why).c_str());
  }
};

class billing {
 public:
  billing(journal& done, std::string worker) : done_(done), worker_(std::move(worker)) {}

  /// What this has done goes here.
  msgbus::async::producer events;

  asio::awaitable<void> on_placed(const order_placed& event, const msgbus::context& about) {
    const std::string id(about.message_id());
    const number order = event.order.id;
    const unsigned attempt = about.attempt();
    if (!done_.begin(id, order, attempt)) {
      ++duplicates_;
      co_return;
    }
    co_await takes(2ms);  // stands for somebody else's system
    if (order % 100 == 7 && attempt == 1) {
      done_.failed(id, order, attempt);
      ++failed_;
      throw std::runtime_error("the printer is out of paper");  // so it comes again, after a pause
    }
    if (!done_.handled(id, order, attempt)) {
      ++duplicates_;
      co_return;
    }
    ++handled_;
    order_billed written{order, worker_};
    co_await events.dispatch(std::move(written));
    co_await takes(2ms);  // the mail to the customer. Who is killed here leaves a duplicate
  }

  void print() const {
    std::printf("%s: %llu orders handled, %llu duplicates recognised, %llu to be tried again\n",
                worker_.c_str(), static_cast<unsigned long long>(handled_),
                static_cast<unsigned long long>(duplicates_),
                static_cast<unsigned long long>(failed_));
  }

 private:
  journal& done_;
  const std::string worker_;
  std::uint64_t handled_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t failed_ = 0;
};

asio::awaitable<msgbus::bridge_link> take_orders(msgbus::bridge& nats,
                                                 msgbus::async::consumer& orders) {
  co_await wire::ensure_streams(nats);  // whoever comes first
  msgbus::durable_options how;
  how.stream = wire::orders_stream;
  how.durable = "billing";
  how.ack_wait = 1s;
  how.max_deliver = 20;
  how.backoff = 100ms;
  how.dead_letter = wire::dead_orders;
  auto joining = nats.durable<order_placed>(orders, how);
  msgbus::bridge_link made = co_await std::move(joining);
  co_return made;
}

struct outcome {
  msgbus::drain_report report;
  double seconds = 0;
};

// The bridge first: it takes nothing new, and waits until what was taken is handled and settled.
asio::awaitable<void> until_stopped(msgbus::bridge& nats, msgbus::async::consumer& orders,
                                    std::chrono::steady_clock::duration deadline, outcome& result) {
  co_await until_signal();
  const auto begin = std::chrono::steady_clock::now();
  result.report = co_await nats.drain(deadline);
  (void)co_await orders.drain(begin + deadline - std::chrono::steady_clock::now());
  result.seconds = seconds_since(begin);
}

int run(const options& given) {
  const std::string& name = given.name;
  asio::io_context io(1);
  auto connecting = wire::connect(io.get_executor(), given.url, name);
  msgbus::bridge nats = run_until_done(io, std::move(connecting));

  journal done(given.journal, name);
  billing invoices(done, name);
  msgbus::async::consumer orders(io.get_executor(), {.capacity = 32, .concurrency = 16});
  orders.handler(&billing::on_placed, invoices);
  orders.observe(std::make_shared<complaints>());
  nats.outbound<order_billed>(invoices.events);
  const msgbus::bridge_link taken = run_until_done(io, take_orders(nats, orders));
  std::printf("%s: working\n", name.c_str());
  std::fflush(stdout);

  outcome result;
  critical_tasks critical(io);
  critical.spawn(io.get_executor(), until_stopped(nats, orders, given.deadline, result));
  io.restart();
  run_with(io, 1);
  critical.rethrow();

  const msgbus::link_counters all = taken.stats();
  invoices.print();
  std::printf(
      "%s: %llu deliveries (%llu not the first of their message), %llu acknowledged, %llu "
      "given back, %llu given up; drained in %.3f s\n",
      name.c_str(), static_cast<unsigned long long>(all.received),
      static_cast<unsigned long long>(all.redelivered), static_cast<unsigned long long>(all.acks),
      static_cast<unsigned long long>(all.naks), static_cast<unsigned long long>(all.dead_lettered),
      result.seconds);
  const bool balanced = all.received == all.acks + all.naks + all.dead_lettered + all.unsettled;
  if (!balanced) std::printf("%s: FAILED: the counters do not add up\n", name.c_str());
  return balanced && result.report.abandoned == 0 ? 0 : 1;
}

}  // namespace
}  // namespace exchange

int main(int argc, char** argv) {
  try {
    return exchange::run(exchange::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "worker: %s\n", error.what());
    return 2;
  }
}
