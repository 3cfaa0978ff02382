// A handler that blocks does not hold up the others: its policy names a thread pool, and whoever
// awaits it is resumed where it was.

#include <msgbus/async.hpp>
#include <asio.hpp>

#include <exception>
#include <future>
#include <iostream>
#include <string>
#include <thread>

namespace bus = msgbus::async;

struct report_asked {
  int number;
};

int main() {
  asio::io_context io;
  asio::thread_pool blocking(2);
  const auto main_thread = std::this_thread::get_id();
  const auto here = [=] {
    return std::this_thread::get_id() == main_thread ? "on the main thread" : "in the pool";
  };

  bus::consumer reports(io.get_executor());
  std::promise<void> others_have_run;

  // It blocks its thread until another handler has run: on the main thread that would never end.
  const auto print = [&](const report_asked& event) {
    others_have_run.get_future().wait();
    std::cout << "report " << event.number << " printed " << here() << '\n';
  };
  reports.handler(print, {.executor = blocking.get_executor()});

  bus::consumer others(io.get_executor());
  others.handler([&](const report_asked&) {
    std::cout << "another handler ran " << here() << '\n';
    others_have_run.set_value();
  });

  bus::producer events;
  events.bind(reports, others);

  const auto ask = [&]() -> asio::awaitable<void> {
    const std::size_t ran = co_await events.dispatch<report_asked>(7);
    std::cout << ran << " handlers have run; resumed " << here() << '\n';
  };
  asio::co_spawn(io, ask(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
  blocking.join();
}
