// A coroutine that takes messages one after the other, where a handler would have to remember
// between calls how far it is: a price that rises three times in a row.

#include <msgbus/async.hpp>
#include <asio.hpp>

#include <exception>
#include <iostream>
#include <optional>

namespace bus = msgbus::async;

struct price {
  double euros;
};

asio::awaitable<void> watch(bus::stream<price> prices) {
  int rises = 0;
  double before = 0;
  while (std::optional<price> next = co_await prices.next()) {
    rises = next->euros > before ? rises + 1 : 0;
    before = next->euros;
    if (rises == 3) std::cout << "three rises in a row, up to " << before << '\n';
  }
  std::cout << "the stream has ended\n";
}

asio::awaitable<void> trade(bus::subscriber& market) {
  bus::receipt told;
  for (const double euros : {10.0, 9.5, 9.7, 9.8, 10.2, 10.1}) {
    const price next{euros};
    told += co_await market.send(next, "prices.ACME");
  }
  const price other{77.0};
  told += co_await market.send(other, "prices.GLOBEX");  // nobody watches that
  std::cout << told.admitted << " prices sent\n";
  market.close();  // what was sent is still delivered; then streams end
}

int main() {
  asio::io_context io;
  bus::subscriber market(io.get_executor());
  const auto finished = [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  };
  asio::co_spawn(io, watch(market.stream_of<price>("prices.ACME")), finished);
  asio::co_spawn(io, trade(market), finished);
  io.run();
}
