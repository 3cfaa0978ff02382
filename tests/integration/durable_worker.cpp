// A process for a test about processes and servers that die: `durable_worker FILE URL RUN MESSAGES
// STEP` fills the file up to so many orders, whose messages go through a stream to a handler with
// `once`. It kills itself at that step of the database; with 0 at none. Writes a byte to stdout for
// each 50 messages that were handled, and ends when all have had their effect.

#include <msgbus/async/sleep.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/durable/unit_of_work.hpp>
#include <msgbus/nats/connect.hpp>

#include "durable/connection.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using msgbus::async::subscriber;
using msgbus::durable::transaction;
using msgbus::durable::unit_of_work;

namespace {

constexpr const char* topic = "orders.placed";
constexpr int at_a_time = 64;

std::atomic<int> steps_left{0};

void count_step(const char*) {
  if (steps_left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

void rethrow(std::exception_ptr why) {
  if (why) std::rethrow_exception(why);
}

struct worker {
  std::string file, url;
  int run = 0;
  int messages = 0;
  std::shared_ptr<msgbus::durable::database> db = {};
  int next = 0;  // of those that this run places
  int to_place = 0;
  int handled = 0;

  asio::awaitable<std::optional<msgbus::bridge>> try_to_connect() {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const msgbus::nats::options options{.url = url};
    try {
      auto connecting = msgbus::nats::connect(here, options);
      msgbus::bridge made = co_await std::move(connecting);
      msgbus::transport::stream_options stream;
      stream.name = "ORDERS";
      stream.topics.emplace_back(topic);
      auto ensuring = made.ensure_stream(stream);
      co_await std::move(ensuring);
      co_return made;
    } catch (const msgbus::error& e) {
      if (e.code() != msgbus::errc::disconnected && e.code() != msgbus::errc::timed_out) throw;
      co_return std::nullopt;  // the server is away
    }
  }

  asio::awaitable<void> place_some() {
    while (next < to_place) {
      auto work = [id = run * 1'000'000 + next++](transaction& t) -> asio::awaitable<void> {
        t.execute("insert into orders values (?)", id);
        t.dispatch(id);
        co_return;
      };
      auto running = db->transaction(work);
      co_await std::move(running);
    }
  }

  asio::awaitable<int> count(const char* table) {
    auto asking = db->query(std::string("select count(*) from ") + table);
    const auto rows = co_await std::move(asking);
    co_return rows.at(0).get<int>(0);
  }

  asio::awaitable<void> open() {
    msgbus::durable::open_options options;
    options.file = file;
    options.synchronous = msgbus::durable::synchronous::off;  // a killed process loses no power
    options.retry.backoff = 5ms;
    options.retry.max_backoff = 50ms;
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    auto opening = msgbus::durable::open(here, options);
    db = co_await std::move(opening);
    auto make = [](transaction& t) -> asio::awaitable<void> {
      t.execute("create table if not exists orders (id integer primary key)");
      t.execute("create table if not exists effects (id integer)");
      co_return;
    };
    auto making = db->transaction(make);
    co_await std::move(making);
  }

  void handle(int id, transaction& t) {
    t.execute("insert into effects values (?)", id);
    if (++handled % 50 == 0 && ::write(STDOUT_FILENO, ".", 1) != 1) std::abort();
  }

  asio::awaitable<void> live() {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    auto opening = open();
    co_await std::move(opening);
    std::optional<msgbus::bridge> out;
    while (!out) {
      auto connecting = try_to_connect();
      out = co_await std::move(connecting);
    }
    subscriber billing(here);
    billing.override(unit_of_work, msgbus::durable::unit_of_work_in(db));
    auto bill = [this](int id, msgbus::depends<unit_of_work> t) { handle(id, *t); };
    billing.subscribe(topic, bill, {.once = "effects"});
    msgbus::durable_options link;
    link.stream = "ORDERS";
    link.durable = "billing";
    link.ack_wait = 2s;
    link.max_deliver = 0;
    link.backoff = 20ms;
    auto linking = out->durable<int>(billing, topic, link);
    co_await std::move(linking);
    db->route<int>(topic, *out);
    auto counting = count("orders");
    to_place = messages - co_await std::move(counting);
    for (int i = 0; i < at_a_time; ++i) asio::co_spawn(here, place_some(), rethrow);
    for (int effects = 0; effects < messages;) {
      auto resting = msgbus::async::sleep(20ms);
      co_await std::move(resting);
      auto looking = count("effects");
      effects = co_await std::move(looking);
    }
    auto draining = db->drain(30s);
    if (!co_await std::move(draining)) std::abort();
    billing.restore(unit_of_work);
    out->close();
    db.reset();
  }
};

}  // namespace

int main(int, char** argv) {
  steps_left = std::atoi(argv[5]);
  msgbus::durable::detail::on_step = &count_step;
  asio::io_context io;
  worker one{argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4])};
  asio::co_spawn(io, one.live(), [&](std::exception_ptr why) {
    rethrow(why);
    io.stop();
  });
  io.run();
}
