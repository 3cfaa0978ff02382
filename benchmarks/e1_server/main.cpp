// The server of examples/server, written directly on Asio: what the bus is measured with. It has
// the same options, and shares with it all that knows of no bus.

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <cstdio>
#include <exception>

#include "direct_board.hpp"
#include "direct_business.hpp"
#include "gateway.hpp"
#include "json_text.hpp"
#include "listener.hpp"
#include "process.hpp"
#include "server_options.hpp"

namespace direct {
namespace {

using clock = std::chrono::steady_clock;

asio::awaitable<void> serve(exchange::listener& door, business& carried_out,
                            clock::duration deadline, std::size_t& cut_off) {
  co_await exchange::until_signal();
  const clock::time_point begin = clock::now();
  door.stop();
  co_await carried_out.finish(begin + deadline);
  cut_off = co_await door.finish(begin + deadline);
}

int run(const exchange::server_options& given) {
  asio::io_context io(given.threads);
  asio::thread_pool blocking(static_cast<std::size_t>(given.pool));
  board notices;
  business carried_out(blocking, given.audit, notices);
  exchange::gateway translator(carried_out);
  exchange::listener door(io, given.threads, given.port, given.limits, translator, notices);

  std::size_t cut_off = 0;
  exchange::critical_tasks parts(io);
  parts.spawn(door.executor(), door.accept());
  parts.spawn(door.executor(), serve(door, carried_out, given.deadline, cut_off));
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(door.address().port()));
  std::fflush(stdout);
  exchange::run_with(io, given.threads);
  blocking.join();
  parts.rethrow();

  const bool agrees = carried_out.agrees();
  std::printf("books: %s", exchange::to_line(carried_out.book_totals()).c_str());
  std::printf("%s\n", !agrees   ? "FAILED: the books and the read model differ"
                      : cut_off ? "stopped at the deadline: connections were cut off"
                                : "stopped: nothing was left undone");
  return agrees && cut_off == 0 ? 0 : 1;
}

}  // namespace
}  // namespace direct

int main(int argc, char** argv) {
  try {
    return direct::run(exchange::read_server_options("e1_direct_server", argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server: %s\n", error.what());
    return 2;
  }
}
