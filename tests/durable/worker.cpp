// A process for tests about processes that die: `worker FILE LOG RUN ORDERS STEP` places so many
// orders, and kills itself at that step of the database; with 0 at none. Lines of the log, each
// written with one call: `committed N`, `handled RUN N`.

#include <msgbus/durable/unit_of_work.hpp>

#include "durable/connection.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using msgbus::async::consumer;
using msgbus::durable::transaction;

namespace {

std::atomic<int> steps_left{0};

void count_step(const char*) {
  if (steps_left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

struct log_file {
  int descriptor;
  explicit log_file(const char* path)
      : descriptor(::open(path, O_WRONLY | O_APPEND | O_CREAT, 0600)) {}
  void add(std::string line) const {
    line += '\n';
    if (::write(descriptor, line.data(), line.size()) < 0) std::abort();
  }
};

asio::awaitable<void> place(std::shared_ptr<msgbus::durable::database> db, const log_file& log,
                            int id) {
  auto work = [id](transaction& t) -> asio::awaitable<void> {
    t.execute("insert into orders values (?)", id);
    t.dispatch(id);
    // Each fifth changes its mind.
    if (id % 5 == 4) throw std::runtime_error("no");
    co_return;
  };
  try {
    auto running = db->transaction(work);
    co_await std::move(running);
    log.add("committed " + std::to_string(id));
  } catch (const std::runtime_error& e) {
    if (std::string(e.what()) != "no") throw;
  }
}

asio::awaitable<void> run(const log_file& log, std::string file, int number, int orders) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  msgbus::durable::open_options options;
  options.file = std::move(file);
  options.synchronous = msgbus::durable::synchronous::off;  // a killed process loses no power
  options.retry.backoff = 1ms;
  options.retry.max_backoff = 1ms;
  auto opening = msgbus::durable::open(here, options);
  const auto db = co_await std::move(opening);
  auto make = [](transaction& t) -> asio::awaitable<void> {
    t.execute("create table if not exists orders (id integer primary key)");
    t.execute("create table if not exists effects (id integer)");
    co_return;
  };
  auto making = db->transaction(make);
  co_await std::move(making);
  consumer billing(here);
  billing.override(msgbus::durable::unit_of_work, msgbus::durable::unit_of_work_in(db));
  auto write = [](int id, msgbus::depends<msgbus::durable::unit_of_work> t) {
    t->execute("insert into effects values (?)", id);
  };
  billing.handler(write, {.once = "effects"});
  billing.handler([&](int id, const msgbus::context& ctx) {
    if (id % 7 == 3 && ctx.attempt() == 1) throw std::runtime_error("the first attempt fails");
    log.add("handled " + std::to_string(number) + ' ' + std::to_string(id));
  });
  db->route<int>("billing", billing);
  for (int i = 0; i < orders; ++i) {
    const int id = number * 1000 + i;
    if (i % 3 == 0) {
      auto one = place(db, log, id);
      co_await std::move(one);
    } else {
      asio::co_spawn(here, place(db, log, id), [](std::exception_ptr why) {
        if (why) std::rethrow_exception(why);
      });
    }
  }
  // Until the file has no message left.
  for (;;) {
    const auto rows = co_await db->query("select count(*) from msgbus_outbox");
    if (rows.at(0).get<int>(0) == 0) break;
  }
  auto draining = db->drain(30s);
  if (!co_await std::move(draining)) std::abort();
}

}  // namespace

int main(int, char** argv) {
  const log_file log(argv[2]);
  steps_left = std::atoi(argv[5]);
  msgbus::durable::detail::on_step = &count_step;
  asio::io_context io;
  asio::co_spawn(io, run(log, argv[1], std::atoi(argv[3]), std::atoi(argv[4])),
                 [](std::exception_ptr why) {
                   if (why) std::rethrow_exception(why);
                 });
  io.run();
}
