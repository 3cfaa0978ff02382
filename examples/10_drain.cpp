// The end of a program: take nothing new, finish what was accepted, give up at the deadline, and
// say what became of everything.

#include <msgbus/async.hpp>
#include <asio.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace bus = msgbus::async;
using namespace std::chrono_literals;

struct letter {
  int number;
  std::chrono::milliseconds takes;
};

asio::awaitable<void> deliver(const letter& event) {
  asio::steady_timer way(co_await asio::this_coro::executor, event.takes);
  co_await way.async_wait(asio::use_awaitable);
  std::cout << "  letter " << event.number << " delivered\n";
}

void print(const bus::drain_report& report) {
  std::cout << "  drained: " << report.handled << " handled, " << report.failed << " failed, "
            << report.abandoned << " abandoned\n";
}

asio::awaitable<void> stop(bus::consumer& post_office, std::chrono::milliseconds deadline) {
  const bus::drain_report report = co_await post_office.drain(deadline);
  print(report);
  const bus::receipt refused = post_office.post<letter>(99, 1ms);
  std::cout << "  a letter more: " << refused.rejected << " rejected\n";
}

void day(const char* what, std::chrono::milliseconds last_letter_takes) {
  std::cout << what << '\n';
  asio::io_context io;
  bus::consumer post_office(io.get_executor());
  post_office.handler(deliver);
  bus::receipt told = post_office.post<letter>(1, 1ms);
  told += post_office.post<letter>(2, 1ms);
  told += post_office.post<letter>(3, last_letter_takes);
  told += post_office.post<letter>(4, 1ms);
  std::cout << "  " << told.admitted << " letters posted\n";
  asio::co_spawn(io, stop(post_office, 2s), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
}

int main() {
  day("in time", 1ms);
  day("the third letter takes an hour", 1h);
}
