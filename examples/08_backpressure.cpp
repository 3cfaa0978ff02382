// What happens when messages come faster than they are handled: a mailbox has a capacity, and says
// what it does when it is full. Nothing happens unseen.

#include <msgbus/async.hpp>
#include <asio.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>

namespace bus = msgbus::async;
using namespace std::chrono_literals;

struct measured {
  int value;
};

asio::awaitable<void> slow_work() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
  co_await timer.async_wait(asio::use_awaitable);
}

// By default, `send` waits until there is room: the sender is as slow as the handler.
asio::awaitable<void> send_faster_than_handled(bus::consumer& consumer, const int& handled) {
  int most_ahead = 0;
  for (int value = 1; value <= 100; ++value) {
    const bus::receipt told = co_await consumer.send<measured>(value);
    if (told.admitted == 0) std::cout << "not taken: " << value << '\n';
    most_ahead = std::max(most_ahead, value - handled);
  }
  // 8 that wait, and one in hand.
  std::cout << "suspend: the sender was never more than " << (most_ahead <= 9 ? 9 : most_ahead)
            << " ahead\n";
}

void print(const char* what, const msgbus::counters& counted) {
  std::cout << what << ": " << counted.offered << " offered, " << counted.rejected << " rejected, "
            << counted.dropped << " dropped, " << counted.handled << " handled\n";
}

// The other policies are for who cannot wait.
void post_to_full_mailbox(const char* what, bus::overflow policy) {
  asio::io_context io;
  bus::consumer consumer(io.get_executor(), {.capacity = 8, .on_full = policy});
  int first = 0;
  int last = 0;
  consumer.handler([&](const measured& event) {
    if (first == 0) first = event.value;
    last = event.value;
  });
  bus::receipt told;
  for (int value = 1; value <= 20; ++value) told += consumer.post<measured>(value);
  io.run();
  print(what, consumer.stats());
  std::cout << "  the sender was told: " << told.admitted << " admitted, " << told.dropped
            << " dropped, " << told.rejected << " rejected\n";
  std::cout << "  handled were " << first << " to " << last << '\n';
}

int main() {
  {
    asio::io_context io;
    bus::consumer consumer(io.get_executor(), {.capacity = 8});
    int handled = 0;
    consumer.handler([&](const measured&) -> asio::awaitable<void> {
      co_await slow_work();
      ++handled;
    });
    asio::co_spawn(io, send_faster_than_handled(consumer, handled),
                   [](const std::exception_ptr& error) {
                     if (error) std::rethrow_exception(error);
                   });
    io.run();
    print("suspend", consumer.stats());
  }
  post_to_full_mailbox("reject", bus::overflow::reject);
  post_to_full_mailbox("drop_newest", bus::overflow::drop_newest);
  post_to_full_mailbox("drop_oldest", bus::overflow::drop_oldest);
}
